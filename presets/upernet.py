"""UPerNet's checkpoints."""

from keras_tfm.presets.io.translate import Names

MODULE = ".{conv,batch_norm}"
ROWS = {
    "head.lateral.{n}.{convolution,norm}": "decode_head.lateral_convs.{n}" + MODULE,
    "head.pooled.{n}.{convolution,norm}": "decode_head.psp_modules.{n}.1" + MODULE,
    "head.bottleneck.{convolution,norm}": "decode_head.bottleneck" + MODULE,
    "head.smooth.{n}.{convolution,norm}": "decode_head.fpn_convs.{n}" + MODULE,
    "head.merge.{convolution,norm}": "decode_head.fpn_bottleneck" + MODULE,
    "head.project": "decode_head.classifier",
    "auxiliary_head.convolutions.{n}.{convolution,norm}": "auxiliary_head.convs.{n}" + MODULE,
    "auxiliary_head.both.{convolution,norm}": "auxiliary_head.conv_cat" + MODULE,
    "auxiliary_head.project": "auxiliary_head.classifier",
}
NAMES = Names(ROWS, parts={"extractor": "backbone"})

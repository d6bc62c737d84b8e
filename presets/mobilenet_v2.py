"""MobileNetV2's checkpoints."""

from keras_tfm.presets.io.translate import Names

ROWS = {
    "embeddings.{convolution,up,depthwise,down}": "conv_stem.{first_conv,expand_1x1,conv_3x3,reduce_1x1}",
    "embeddings.{convolution,up,depthwise,down}.norm": (
        "conv_stem.{first_conv,expand_1x1,conv_3x3,reduce_1x1}.normalization"
    ),
    "blocks.{n}.{up,depthwise,down}": "layer.{n}.{expand_1x1,conv_3x3,reduce_1x1}",
    "blocks.{n}.{up,depthwise,down}.norm": "layer.{n}.{expand_1x1,conv_3x3,reduce_1x1}.normalization",
    "neck": "conv_1x1",
    "neck.norm": "conv_1x1.normalization",
}
SEGMENTATION = {
    "head.{pooler,convolution,project}": "segmentation_head.{conv_pool,conv_aspp,conv_projection}",
    "head.{pooler,convolution,project}.norm": "segmentation_head.{conv_pool,conv_aspp,conv_projection}.normalization",
    "head.classifier": "segmentation_head.classifier.convolution",
}
HEADS = {"ForImageClassification": {"head": "classifier"}, "ForSemanticSegmentation": SEGMENTATION}
NAMES = Names(ROWS, prefix="mobilenet_v2", heads=HEADS)

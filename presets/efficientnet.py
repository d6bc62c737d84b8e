"""EfficientNet's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = "encoder.blocks.{n}"
ROWS = {
    "embeddings.norm": "embeddings.batchnorm",
    "blocks.{n}.up.{convolution,norm}": f"{BLOCK}.expansion.{{expand_conv,expand_bn}}",
    "blocks.{n}.depthwise.{convolution,norm}": f"{BLOCK}.depthwise_conv.{{depthwise_conv,depthwise_norm}}",
    "blocks.{n}.gate.{down,up}": f"{BLOCK}.squeeze_excite.{{reduce,expand}}",
    "blocks.{n}.down.{convolution,norm}": f"{BLOCK}.projection.{{project_conv,project_bn}}",
    "neck.{convolution,norm}": "encoder.{top_conv,top_bn}",
}
NAMES = Names(ROWS, prefix="efficientnet", heads={"ForImageClassification": {"head": "classifier"}})

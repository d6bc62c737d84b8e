"""ConvNeXT's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = "encoder.stages.{n}.layers.{m}"
ROWS = {
    "embeddings": "embeddings.patch_embeddings",
    "embeddings_norm": "embeddings.layernorm",
    "stages.{n}.norm": "encoder.stages.{n}.downsampling_layer.0",
    "stages.{n}.downsample": "encoder.stages.{n}.downsampling_layer.1",
    "stages.{n}.blocks.{m}.convolution": f"{BLOCK}.dwconv",
    "stages.{n}.blocks.{m}.norm": f"{BLOCK}.layernorm",
    "stages.{n}.blocks.{m}.mlp.{up,down}": f"{BLOCK}" + ".{pwconv1,pwconv2}",
    "stages.{n}.blocks.{m}.scale": {"scale": f"{BLOCK}.layer_scale_parameter"},
    "norm": "layernorm",
    "norms": "hidden_states_norms",
}
HEADS = {"ForImageClassification": {"head": "classifier"}}
NAMES = Names(ROWS, prefix="convnext", heads=HEADS, optional=["norm", "norms"])

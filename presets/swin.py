"""Swin's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = "encoder.layers.{n}.blocks.{m}"
ROWS = {
    "embeddings.patches": "embeddings.patch_embeddings.projection",
    "stages.{n}.blocks.{m}.attention_norm": f"{BLOCK}.layernorm_before",
    "stages.{n}.blocks.{m}.attention": f"{BLOCK}.attention.self",
    "stages.{n}.blocks.{m}.attention.project": f"{BLOCK}.attention.output.dense",
    "stages.{n}.blocks.{m}.mlp_norm": f"{BLOCK}.layernorm_after",
    "stages.{n}.blocks.{m}.mlp.{up,down}": f"{BLOCK}" + ".{intermediate,output}.dense",
    "stages.{n}.downsample": "encoder.layers.{n}.downsample",
    "stages.{n}.downsample.project": "encoder.layers.{n}.downsample.reduction",
    "norm": "layernorm",
    "norms": "hidden_states_norms",
}
HEADS = {
    "ForImageClassification": {"head": "classifier"},
    "ForMaskedImageModeling": {"head.project": "decoder.0"},
}
NAMES = Names(
    ROWS,
    prefix="swin",
    heads=HEADS,
    optional=["embeddings.mask_token", "norm", "norms"],
    ignored=[f"{BLOCK}.attention.self.relative_position_index"],
)

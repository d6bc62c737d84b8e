"""ViT's checkpoints."""

from keras_tfm.presets.io.translate import Names

ROWS = {
    "embeddings.patches": "embeddings.patch_embeddings.projection",
    "blocks.{n}.attention_norm": "encoder.layer.{n}.layernorm_before",
    "blocks.{n}.attention": "encoder.layer.{n}.attention.attention",
    "blocks.{n}.attention.project": "encoder.layer.{n}.attention.output.dense",
    "blocks.{n}.mlp_norm": "encoder.layer.{n}.layernorm_after",
    "blocks.{n}.mlp.{up,down}": "encoder.layer.{n}.{intermediate,output}.dense",
    "norm": "layernorm",
    "pooler": "pooler.dense",
}
HEADS = {
    "ForImageClassification": {"head": "classifier"},
    "ForMaskedImageModeling": {"head.project": "decoder.0"},
}
NAMES = Names(ROWS, prefix="vit", heads=HEADS, optional=["pooler", "embeddings.mask_token"])

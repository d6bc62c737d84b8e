"""ViT's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = {
    "attention_norm": "layernorm_before",
    "attention": "attention.attention",
    "attention.project": "attention.output.dense",
    "mlp_norm": "layernorm_after",
    "mlp.{up,down}": "{intermediate,output}.dense",
}
ROWS = {
    "embeddings.patches": "embeddings.patch_embeddings.projection",
    **{f"blocks.{{n}}.{ours}": f"encoder.layer.{{n}}.{theirs}" for ours, theirs in BLOCK.items()},
    "norm": "layernorm",
    "pooler": "pooler.dense",
}
HEADS = {
    "ForImageClassification": {"head": "classifier"},
    "ForMaskedImageModeling": {"head.project": "decoder.0"},
}
NAMES = Names(ROWS, prefix="vit", heads=HEADS, optional=["pooler", "embeddings.mask_token"])

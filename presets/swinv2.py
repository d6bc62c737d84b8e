"""Swin Transformer V2's checkpoints: Swin's names, and what computes its biases."""

from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.swin import BLOCK, HEADS, ROWS

SELF = f"{BLOCK}.attention.self"
NAMES = Names(
    ROWS
    | {
        "stages.{n}.blocks.{m}.attention.query_norm": SELF,
        "stages.{n}.blocks.{m}.attention.relative.{up,down}": f"{SELF}.continuous_position_bias_mlp" + ".{0,2}",
    },
    prefix="swinv2",
    heads=HEADS,
    optional=["embeddings.mask_token", "norm"],
    # Tables that follow from the configuration, which old checkpoints carry.
    ignored=[f"{SELF}.relative_position_index", f"{SELF}.relative_coords_table"],
)

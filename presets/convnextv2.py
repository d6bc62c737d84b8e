"""ConvNeXT V2's checkpoints: ConvNeXT's names, and the norm in the MLPs."""

from keras_tfm.presets.convnext import BLOCK, HEADS, ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(
    ROWS | {"stages.{n}.blocks.{m}.mlp.norm": f"{BLOCK}.grn"},
    prefix="convnextv2",
    heads=HEADS,
    optional=["norm", "norms"],
)

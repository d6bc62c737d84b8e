"""LED's checkpoints: stored as BART's, but for the attention of the encoder, which is Longformer's."""

from keras_tfm.presets.bart import BOTH, COPIES, HEADS, SHARED
from keras_tfm.presets.io.translate import Names

ATTENTION = {
    "{query,key,value}": "longformer_self_attn.{query,key,value}",
    "global_{query,key,value}": "longformer_self_attn.{query_global,key_global,value_global}",
    "project": "output",
}
ENCODER = {
    f"encoder.blocks.{{n}}.attention.{ours}": f"encoder.layers.{{n}}.self_attn.{theirs}"
    for ours, theirs in ATTENTION.items()
}

NAMES = Names(BOTH | SHARED | ENCODER, prefix="led", heads=HEADS, copies=COPIES)

"""DeBERTa's checkpoints: as v2's, with one matrix for queries, keys and values, head by head."""

from keras_tfm.presets.deberta_v2 import HEADS, IGNORED, ROWS
from keras_tfm.presets.io.translate import Fused, Names

NAMES = Names(
    {
        **ROWS,
        "blocks.{n}.attention.{query,key,value}": {
            "kernel": Fused("encoder.layer.{n}.attention.self.in_proj.weight", by_head="num_attention_heads"),
            "bias": "encoder.layer.{n}.attention.self.{q,k,v}_bias",  # there is none for keys
        },
        "blocks.{n}.attention.distance_{query,key}": "encoder.layer.{n}.attention.self.{pos_q,pos}_proj",
        "blocks.{n}.attention.mix_{scores,weights}": "encoder.layer.{n}.attention.self.head_{logits,weights}_proj",
    },
    prefix="deberta",
    heads=HEADS,
    ignored=IGNORED,
)

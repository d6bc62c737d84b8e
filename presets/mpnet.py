"""MPNet's checkpoints: BERT's but for the attention, with RoBERTa's heads."""

from keras_tfm.presets.bert import ROWS
from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.roberta import HEADS

NAMES = Names(
    ROWS
    | {
        "blocks.{n}.attention.{query,key,value}": "encoder.layer.{n}.attention.attn.{q,k,v}",
        "blocks.{n}.attention.project": "encoder.layer.{n}.attention.attn.o",
        "blocks.{n}.attention_norm": "encoder.layer.{n}.attention.LayerNorm",
        "relative.table": "encoder.relative_attention_bias",
    },
    prefix="mpnet",
    heads=HEADS,
    optional=["pooler"],
    ignored=["embeddings.position_ids"],
)

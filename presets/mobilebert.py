"""MobileBERT's checkpoints: BERT's names, and the bottlenecks'."""

from keras_tfm.presets.bert import HEADS, ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(
    ROWS
    | {
        "embeddings.widen": "embeddings.embedding_transformation",
        "blocks.{n}.{narrow,narrow_queries}.inner": "encoder.layer.{n}.bottleneck.{input,attention}.dense",
        "blocks.{n}.{narrow,narrow_queries}.norm": "encoder.layer.{n}.bottleneck.{input,attention}.LayerNorm",
        "blocks.{n}.widen.{inner,norm}": "encoder.layer.{n}.output.bottleneck.{dense,LayerNorm}",
        "blocks.{n}.mlps.{m}.inner.{up,down}": "encoder.layer.{n}.ffn.{m}.{intermediate,output}.dense",
        "blocks.{n}.mlps.{m}.norm": "encoder.layer.{n}.ffn.{m}.output.LayerNorm",
        "blocks.{n}.mlp.inner.{up,down}": "encoder.layer.{n}.{intermediate,output}.dense",
        "blocks.{n}.mlp.norm": "encoder.layer.{n}.output.LayerNorm",
    },
    prefix="mobilebert",
    heads=HEADS | {"ForMaskedLM ForPreTraining": {"head": {"kernel": "cls.predictions.dense.weight"}}},
    optional=["pooler"],
    ignored=["embeddings.position_ids"],
)

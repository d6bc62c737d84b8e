"""ESM's checkpoints: BERT's names, with the norms before attention and MLP and one behind the last block."""

from keras_tfm.presets.bert import ROWS
from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.roberta import HEADS

NAMES = Names(
    ROWS
    | {
        "embeddings.norm": "embeddings.layer_norm",
        "blocks.{n}.attention_norm": "encoder.layer.{n}.attention.LayerNorm",
        "blocks.{n}.rotation": "encoder.layer.{n}.attention.self.rotary_embeddings",
        "blocks.{n}.mlp_norm": "encoder.layer.{n}.LayerNorm",
        "norm": "encoder.emb_layer_norm_after",
    },
    prefix="esm",
    heads=HEADS,
    optional=["pooler"],
    # Of the frequencies, Transformers 5 stores one table, under this very name.
    ignored=["embeddings.position_ids", "encoder.layer.*.attention.self.rotary_embeddings.inv_freq"],
)

"""RoFormer's checkpoints: as BERT's, with the table of sines and cosines that rotates queries and keys."""

from keras_tfm.presets.bert import HEADS, ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(
    ROWS | {"embeddings.project": "embeddings_project", "waves": "encoder.embed_positions"},
    prefix="roformer",
    heads=HEADS | {"ForSequenceClassification": {"head.project": "classifier.out_proj"}},
    # Some were stored with a projection that their configuration, of equal widths, leaves unused.
    ignored=["embeddings_project.weight", "embeddings_project.bias"],
)

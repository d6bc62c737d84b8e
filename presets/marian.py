"""Marian's checkpoints: stored as BART's, translation models without the positions, which follow from a formula."""

from keras_tfm.presets.bart import BOTH, COPIES, HEADS, POSITIONS, SHARED, tables
from keras_tfm.presets.io.translate import Names

ROWS = {"rows": BOTH, "where": {"share_encoder_decoder_embeddings": SHARED}}
SETTINGS = {"prefix": "model", "heads": HEADS, "copies": COPIES}

NAMES = tables("Marian") | {
    "": Names(**ROWS, **SETTINGS),
    "MarianMTModel": Names(**ROWS, **SETTINGS, unsaved=POSITIONS),
}

"""FSMT's checkpoints: stored as BART's, with words on each side, the decoder's as what scores them."""

from keras_tfm.presets.bart import BOTH
from keras_tfm.presets.io.translate import Names

ROWS = BOTH | {"decoder.embeddings.word": "decoder.output_projection"}
COPIES = {
    "decoder.output_projection.weight": ["decoder.embed_tokens.weight"],
    "encoder.embed_tokens.weight": ["decoder.output_projection.weight"],  # where both sides share them
}

NAMES = Names(ROWS, prefix="model", copies=COPIES)

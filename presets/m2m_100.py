"""M2M100's checkpoints: stored as BART's, without the positions, which follow from a formula."""

from keras_tfm.presets.bart import BOTH, COPIES, HEADS, POSITIONS, SHARED
from keras_tfm.presets.io.translate import Names

BUFFERS = ["encoder.embed_positions.weights", "decoder.embed_positions.weights"]  # in old checkpoints

NAMES = Names(BOTH | SHARED, prefix="model", heads=HEADS, ignored=BUFFERS, copies=COPIES, unsaved=POSITIONS)

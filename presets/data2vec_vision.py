"""Data2Vec's checkpoints of pictures: stored as BEiT's."""

from keras_tfm.presets.beit import OPTIONS, ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(ROWS, prefix="data2vec_vision", **OPTIONS)

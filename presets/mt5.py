"""mT5's checkpoints: T5's."""

from keras_tfm.presets.t5 import tables

NAMES = tables("MT5")

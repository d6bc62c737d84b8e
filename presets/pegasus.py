"""Pegasus' checkpoints: stored as BART's, positions included."""

from keras_tfm.presets.bart import tables

NAMES = tables("Pegasus")

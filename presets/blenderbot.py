"""Blenderbot's checkpoints: stored as BART's."""

from keras_tfm.presets.bart import tables

NAMES = tables("Blenderbot")

"""Qwen2's checkpoints: as Llama's."""

from keras_tfm.presets.llama import table

NAMES = table("model")

"""Checkpoints of encoder-decoders made of two architectures."""

from keras_tfm.presets.io.translate import Nested

NAMES = Nested("encoder", "decoder", rows={"context_project": "enc_to_dec_proj"})

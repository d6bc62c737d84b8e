"""Checkpoints of encoder-decoders made of two architectures."""

from keras_tfm.presets.io.translate import Names

NAMES = Names({"context_project": "enc_to_dec_proj"}, parts={"encoder": "encoder", "decoder": "decoder"})

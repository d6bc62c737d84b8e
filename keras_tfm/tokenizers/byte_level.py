"""Byte-level BPE from vocab.json and merges.txt, as GPT-2 has it: no text is unknown to it."""

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, pre_tokenizers

from keras_tfm.tokenizers.files import read_pair_model


def byte_level_backend(vocab_path, merges_path, *needed):
    """`needed`: tokens that the vocabulary must have -> `tokenizers.Tokenizer`; ValueError if a file is damaged."""
    backend = Backend(read_pair_model(vocab_path, merges_path, *needed))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend

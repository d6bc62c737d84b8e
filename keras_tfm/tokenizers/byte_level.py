"""Byte-level BPE, as GPT-2 has it: tokens are made of bytes, so no text is unknown to it."""

from tokenizers import Regex, decoders, pre_tokenizers
from tokenizers import Tokenizer as Backend

from keras_tfm.tokenizers.files import read_pair_model


def byte_level_backend(vocab_path, merges_path, *needed, pattern=None):
    """vocab.json and merges.txt -> `tokenizers.Tokenizer`; ValueError if a file is damaged.

    needed: tokens that the vocabulary must have; pattern: as for `byte_level`.
    """
    return byte_level(read_pair_model(vocab_path, merges_path, *needed), pattern)


def byte_level(model, pattern=None):
    """A `tokenizers.Tokenizer` of a model whose vocabulary spells bytes as GPT-2 does.

    pattern: the regular expression of the parts of a text that no token crosses; GPT-2's by default.
    """
    backend = Backend(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    if pattern:
        split = pre_tokenizers.Split(Regex(pattern), "isolated")
        backend.pre_tokenizer = pre_tokenizers.Sequence([split, backend.pre_tokenizer])
    backend.decoder = decoders.ByteLevel()
    return backend


def set_prefix_space(backend, wanted):
    """Whether the first word is encoded as one that a space precedes; nothing where the backend splits otherwise."""
    splitter = backend.pre_tokenizer
    if isinstance(splitter, pre_tokenizers.ByteLevel):
        splitter.add_prefix_space = wanted
        backend.pre_tokenizer = splitter

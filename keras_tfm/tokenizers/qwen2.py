"""Qwen2's tokenizer: byte-level BPE of composed characters, digit by digit."""

from tokenizers import normalizers, processors

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level_backend

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class Qwen2Tokenizer(Tokenizer):
    """Byte-level BPE without special tokens around."""

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        backend = byte_level_backend(files["vocab.json"], files["merges.txt"], pattern=PATTERN)
        backend.normalizer = normalizers.NFC()
        backend.post_processor = processors.ByteLevel(trim_offsets=False)
        return backend


Qwen2TokenizerFast = Qwen2Tokenizer

"""The first Qwen's tokenizer, from qwen.tiktoken: Qwen2's text, with special tokens of its own."""

from tokenizers import normalizers

from keras_tfm.tokenizers.qwen2 import PATTERN
from keras_tfm.tokenizers.tiktoken import TikTokenTokenizer


class QWenTokenizer(TikTokenTokenizer):
    """Byte-level BPE of composed characters, without special tokens around; options as for `TikTokenTokenizer`."""

    defaults = {
        **TikTokenTokenizer.defaults,
        "vocab_file": "qwen.tiktoken",
        "pattern": PATTERN,
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": [
            *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
            *(f"<|extra_{number}|>" for number in range(205)),
        ],
        "clean_up_tokenization_spaces": False,
    }

    @classmethod
    def build(cls, files, config):
        backend = super().build(files, config)
        backend.normalizer = normalizers.NFC()
        return backend

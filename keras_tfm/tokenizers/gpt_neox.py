"""GPT-NeoX's tokenizer, and that of MPT, RWKV and StableLM: byte-level BPE as its tokenizer.json has it."""

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import set_prefix_space


class GPTNeoXTokenizer(Tokenizer):
    """Byte-level BPE without special tokens around, from a tokenizer.json.

    Options besides those of `Tokenizer`: `add_prefix_space` (default False: the first word is not encoded as one that a
    space precedes).
    """

    defaults = {
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "add_prefix_space": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def configure(cls, backend, config):
        set_prefix_space(backend, config["add_prefix_space"])


GPTNeoXTokenizerFast = GPTNeoXTokenizer

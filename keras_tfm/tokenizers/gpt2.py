"""GPT-2's tokenizer, which OPT, GPT-J, GPTBigCode and others use: byte-level BPE without special tokens around."""

from tokenizers import processors

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level_backend, set_prefix_space
from keras_tfm.tokenizers.frames import sentence_frame


class GPT2Tokenizer(Tokenizer):
    """Byte-level BPE.

    Options besides those of `Tokenizer`: `add_prefix_space` (default False: the first word is not encoded as one that a
    space precedes) and, for vocab.json and merges.txt (a tokenizer.json says it itself), `add_bos_token` (default
    False; OPT's checkpoints have it): `bos_token` before each text.
    """

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "add_prefix_space": False,
        "add_bos_token": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        backend = byte_level_backend(files["vocab.json"], files["merges.txt"])
        backend.post_processor = processors.ByteLevel(trim_offsets=False)
        if config["add_bos_token"]:
            backend.post_processor = sentence_frame(backend, {**config, "add_eos_token": False})
        return backend

    @classmethod
    def configure(cls, backend, config):
        set_prefix_space(backend, config["add_prefix_space"])


GPT2TokenizerFast = GPT2Tokenizer

"""BLOOM's tokenizer: byte-level BPE as its tokenizer.json has it."""

from tokenizers import pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer


class BloomTokenizer(Tokenizer):
    """Byte-level BPE without special tokens around, from a tokenizer.json.

    Options besides those of `Tokenizer`: `add_prefix_space` (default False: as the tokenizer.json has it; True: the
    first word is encoded as one that a space precedes).
    """

    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def configure(cls, backend, config):
        if config["add_prefix_space"]:
            state = backend.pre_tokenizer.__getstate__()  # its JSON: the parts of a sequence cannot be set otherwise
            splitter = pre_tokenizers.Sequence([])
            splitter.__setstate__(state.replace(b'"add_prefix_space":false', b'"add_prefix_space":true'))
            backend.pre_tokenizer = splitter


BloomTokenizerFast = BloomTokenizer

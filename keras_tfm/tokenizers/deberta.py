"""DeBERTa's tokenizer: GPT-2's byte-level BPE."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level_backend, set_prefix_space
from keras_tfm.tokenizers.frames import bert_frame


class DebertaTokenizer(Tokenizer):
    """Byte-level BPE with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.

    Options besides those of `Tokenizer`: `add_prefix_space` (default False: the first word is not encoded as one that a
    space precedes).
    """

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": AddedToken("[MASK]", lstrip=True, normalized=False),
        "add_prefix_space": False,
    }

    @classmethod
    def build(cls, files, config):
        special = [config["sep_token"], config["cls_token"]]
        backend = byte_level_backend(files["vocab.json"], files["merges.txt"], *special)
        backend.post_processor = bert_frame(backend, config)
        return backend

    @classmethod
    def configure(cls, backend, config):
        set_prefix_space(backend, config["add_prefix_space"])


DebertaTokenizerFast = DebertaTokenizer

"""MPNet's tokenizer: BERT's WordPiece with RoBERTa's special tokens."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.bert import BertTokenizer
from keras_tfm.tokenizers.frames import frame


class MPNetTokenizer(BertTokenizer):
    """WordPiece with `<s> A </s>` and `<s> A </s></s> B </s>`; options as for `BertTokenizer`."""

    defaults = {
        **BertTokenizer.defaults,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False),
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        backend = super().build(files, config)
        first, last = config["cls_token"], config["sep_token"]
        backend.post_processor = frame(backend, f"{first} $A {last}", f"{first} $A {last} {last} $B:1 {last}:1")
        return backend


MPNetTokenizerFast = MPNetTokenizer

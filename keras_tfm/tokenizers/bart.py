"""BART's tokenizer: RoBERTa's."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.roberta import RobertaTokenizer


class BartTokenizer(RobertaTokenizer):
    """Byte-level BPE with `<s> A </s>` and `<s> A </s></s> B </s>`; options as for `RobertaTokenizer`."""

    defaults = {**RobertaTokenizer.defaults, "mask_token": AddedToken("<mask>", lstrip=True, normalized=True)}


BartTokenizerFast = BartTokenizer

"""LED's tokenizer: BART's, for a model that also takes a mask of the tokens that attend to all others."""

from keras_tfm.tokenizers.bart import BartTokenizer


class LEDTokenizer(BartTokenizer):
    """Byte-level BPE with `<s> A </s>` and `<s> A </s></s> B </s>`; options as for `RobertaTokenizer`.

    `pad` takes `global_attention_mask` as well and pads it with -1.
    """

    padding_values = {"global_attention_mask": -1}


LEDTokenizerFast = LEDTokenizer

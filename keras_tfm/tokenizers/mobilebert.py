"""MobileBERT's tokenizer: BERT's."""

from keras_tfm.tokenizers.bert import BertTokenizer


class MobileBertTokenizer(BertTokenizer):
    """As `BertTokenizer`."""


MobileBertTokenizerFast = MobileBertTokenizer

"""ELECTRA's tokenizer: BERT's."""

from keras_tfm.tokenizers.bert import BertTokenizer


class ElectraTokenizer(BertTokenizer):
    """As `BertTokenizer`."""


ElectraTokenizerFast = ElectraTokenizer

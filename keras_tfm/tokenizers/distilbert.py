"""DistilBERT's tokenizer: BERT's."""

from keras_tfm.tokenizers.bert import BertTokenizer


class DistilBertTokenizer(BertTokenizer):
    """As `BertTokenizer`; the model takes no token types."""

    model_input_names = ("input_ids", "attention_mask")


DistilBertTokenizerFast = DistilBertTokenizer

"""FNet's tokenizer: ALBERT's, with case and accents, for a model without a mask."""

from keras_tfm.tokenizers.albert import AlbertTokenizer


class FNetTokenizer(AlbertTokenizer):
    """SentencePiece with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`; options as for `AlbertTokenizer`.

    Defaults: `do_lower_case` False, `keep_accents` True.
    """

    defaults = {
        **AlbertTokenizer.defaults,
        "bos_token": None,
        "eos_token": None,
        "do_lower_case": False,
        "keep_accents": True,
    }
    model_input_names = ("input_ids", "token_type_ids")


FNetTokenizerFast = FNetTokenizer

"""Speech2Text's tokenizer: SentencePiece with ids of its own, and before a text the token of its language."""

from tokenizers.processors import TemplateProcessing

from keras_tfm.tokenizers.base import ONE_CALL
from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import joint_frame
from keras_tfm.tokenizers.sentencepiece import joined_pieces, read_model
from keras_tfm.tokenizers.slow import Pieces, SlowTokenizer, slow_backend
from keras_tfm.tokenizers.special import content

LANGUAGES = {"mustc": ["pt", "fr", "ru", "nl", "ro", "it", "es", "de"]}


class Speech2TextTokenizer(SlowTokenizer):
    """SentencePiece with `A </s>` and `A B </s>`, and with languages `<lang:pt> A </s>`.

    Options besides those of `Tokenizer`:
        lang_codes, tgt_lang: the model's languages ("mustc"; default: only one, without a token), and that of the texts
            (default: the first), which can be set later as well.
        do_lower_case, do_upper_case: of texts before they are encoded, of decoded ones (default False).

    ValueError for other languages.
    """

    vocab_files = ("vocab.json", "sentencepiece.bpe.model")
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "do_lower_case": False,
        "do_upper_case": False,
        "lang_codes": None,
        "tgt_lang": None,
    }
    model_input_names = ("input_ids", "attention_mask")
    lower_case_option = "do_lower_case"

    def __init__(self, backend, /, **config):
        codes = config.get("lang_codes")
        if codes is not None and codes not in LANGUAGES:
            raise ValueError(f"lang_codes={codes!r} is unknown: use one of {', '.join(map(repr, LANGUAGES))}.")
        if codes:
            tokens = [language_token(language) for language in LANGUAGES[codes]]
            named = [content(token) for token in config.get("additional_special_tokens") or []]
            config["additional_special_tokens"] = list(dict.fromkeys(tokens + named))
        super().__init__(backend, **config)
        if codes:
            self.tgt_lang = config.get("tgt_lang") or self.langs[0]

    @classmethod
    def build(cls, files, config):
        pieces = Pieces(read_model(files["sentencepiece.bpe.model"]).splitter())
        return slow_backend(read_vocab(files["vocab.json"]), pieces, joint_frame, config)

    @property
    def langs(self):
        """The languages' codes."""
        return LANGUAGES.get(self.config["lang_codes"], [])

    @property
    def lang_code_to_id(self):
        """The id of each language's token."""
        return {language: self.convert_tokens_to_ids(language_token(language)) for language in self.langs}

    @property
    def tgt_lang(self):
        """The language of the texts, None where the model has only one."""
        return self.config["tgt_lang"]

    @tgt_lang.setter
    def tgt_lang(self, language):
        if language not in self.langs:
            known = ", ".join(self.langs) or "none, as lang_codes is not set"
            raise ValueError(f"tgt_lang={language!r} is no language of the tokenizer's: {known}.")
        self.config = {**self.config, "tgt_lang": language}
        first, last = (
            {"id": name, "ids": [self.convert_tokens_to_ids(token)], "tokens": [token]}
            for name, token in (("FIRST", language_token(language)), ("LAST", self.eos_token))
        )  # a template would take the colon for something else
        framing = TemplateProcessing(single="FIRST $A LAST", pair="FIRST $A $B LAST", special_tokens=[first, last])
        with ONE_CALL:
            self.backend.post_processor = framing

    def join(self, tokens):
        special = self.all_special_tokens
        if self.config["do_upper_case"]:
            tokens = [token if token in special else token.upper() for token in tokens]
        return joined_pieces(tokens, special, gap=" ")

    join.__doc__ = SlowTokenizer.join.__doc__


def language_token(language):
    return f"<lang:{language}>"

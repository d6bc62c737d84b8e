"""Tokenizers of many languages: a code beside each text says which one it is in."""

from contextlib import contextmanager

from keras_tfm.tokenizers.base import ONE_CALL
from keras_tfm.tokenizers.frames import frame


class Languages:
    """The part of a `Tokenizer` that knows the languages of `text` and of `text_target`: `src_lang` and `tgt_lang`.

    A subclass has both among its `defaults`, and says which `languages` there are and where their codes stand
    (`language_frame`).
    """

    def __init__(self, backend, /, **config):
        super().__init__(backend, **config)
        self._frame("src_lang", self.src_lang)

    @property
    def languages(self):
        """The languages' names."""
        return self.additional_special_tokens

    @property
    def lang_code_to_id(self):
        """The id of each language's token."""
        return {language: self.convert_tokens_to_ids(self.language_token(language)) for language in self.languages}

    @property
    def src_lang(self):
        """The language of `text`."""
        return self.config["src_lang"] or self.defaults["src_lang"]

    @src_lang.setter
    def src_lang(self, language):
        self.config = {**self.config, "src_lang": language}
        self._frame("src_lang", self.src_lang)

    @property
    def tgt_lang(self):
        """The language of `text_target`, None where it has not been set."""
        return self.config["tgt_lang"]

    @tgt_lang.setter
    def tgt_lang(self, language):
        self.config = {**self.config, "tgt_lang": language}

    def as_target_tokenizer(self):
        """Within it texts are encoded as `text_target` is, in the language `tgt_lang`."""
        return self.encoding("tgt_lang", self.tgt_lang)

    @contextmanager
    def encoding(self, option, language):
        """Within it texts are encoded as those of a language. ValueError, naming the option, for an unknown one."""
        with ONE_CALL:
            self._frame(option, language)
            try:
                yield
            finally:
                self._frame("src_lang", self.src_lang)

    def known_token(self, option, language):
        """The token that stands for a language. ValueError, naming the option, for an unknown one."""
        if language not in self.languages:
            known = ", ".join(list(self.languages)[:3])
            raise ValueError(f"{option}={language!r} is no language of the tokenizer's: {known}, ... Set {option}.")
        return self.language_token(language)

    def language_token(self, language):
        """The token that stands for a language."""
        return language

    def language_frame(self, code, end):
        """The tokens before a text and those behind it, among them the language's `code`."""
        return [code], [end]

    def _frame(self, option, language):
        """Put the code of a language beside what is encoded from now on."""
        first, last = self.language_frame(self.known_token(option, language), self.eos_token)
        single, pair = (" ".join([*first, texts, *last]) for texts in ("$A", "$A $B"))
        self.backend.post_processor = frame(self.backend, single, pair)

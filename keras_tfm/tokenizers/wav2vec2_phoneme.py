"""Wav2Vec2Phoneme's tokenizer: the phonemes of a text, by the package phonemizer, and those that were heard."""

from contextlib import contextmanager
from functools import cache

from keras_tfm.tokenizers.base import ONE_CALL, Tokenizer, cleaned
from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import bare_frame
from keras_tfm.tokenizers.slow import imported, slow_backend
from keras_tfm.tokenizers.wav2vec2 import CTCTokenizer

OPTIONS = (
    "do_phonemize",
    "phonemizer_lang",
    "phonemizer_backend",
    "phone_delimiter_token",
    "word_delimiter_token",
)
PURPOSE = "phonemes of texts (for those that are phonemes already, do_phonemize=False)"


class Wav2Vec2PhonemeCTCTokenizer(CTCTokenizer):
    """Phonemes.

    Options besides those of `Tokenizer`:
        do_phonemize: texts are words, not phonemes between spaces (default True). It takes the package phonemizer, and
            espeak-ng or another program that this one runs.
        phonemizer_lang, phonemizer_backend: the language (default "en-us") and that program (default "espeak").
        phone_delimiter_token, word_delimiter_token: what stands between phonemes (default " "), and between words
            (default: nothing).
    """

    vocab_files = ("vocab.json",)
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "phone_delimiter_token": " ",
        "word_delimiter_token": None,
        "do_phonemize": True,
        "phonemizer_lang": "en-us",
        "phonemizer_backend": "espeak",
    }

    @classmethod
    def build(cls, files, config):
        return slow_backend(read_vocab(files["vocab.json"]), Phonemes(config), bare_frame, config)

    @property
    def word_delimiter_token(self):
        """What stands between words, None for nothing."""
        return self.config["word_delimiter_token"]

    @property
    def word_delimiter_token_id(self):
        """Its id, None where there is none."""
        return None if self.word_delimiter_token is None else self.convert_tokens_to_ids(self.word_delimiter_token)

    @property
    def phone_delimiter_token(self):
        """What stands between phonemes."""
        return self.config["phone_delimiter_token"]

    def __call__(self, text=None, text_pair=None, *, do_phonemize=None, phonemizer_lang=None, **options):
        with self._phonemizing(do_phonemize, phonemizer_lang):
            return super().__call__(text, text_pair, **options)

    __call__.__doc__ = f"{Tokenizer.__call__.__doc__}\n        do_phonemize, phonemizer_lang: as for the class."

    @contextmanager
    def _phonemizing(self, wanted, language):
        """Within it these options count where they are not None."""
        given = {"do_phonemize": wanted, "phonemizer_lang": language}
        with ONE_CALL:
            split = self.backend.python.split
            usual = split.options
            split.options = usual | {key: value for key, value in given.items() if value is not None}
            try:
                yield
            finally:
                split.options = usual

    def phonemize(self, text, phonemizer_lang=None):
        """A text -> its phonemes, between them `phone_delimiter_token`."""
        with self._phonemizing(True, phonemizer_lang):
            return self.backend.python.split.phonemize(text)

    def decode(
        self,
        token_ids,
        *,
        skip_special_tokens=False,
        clean_up_tokenization_spaces=None,
        group_tokens=True,
        filter_word_delimiter_token=True,
        output_char_offsets=False,
    ):
        """The phonemes of the ids that a model predicts for frames, with spaces between them.

        group_tokens: equal ids in a row are one; False for labels.
        filter_word_delimiter_token: leave out what stands between words.
        output_char_offsets: return a dict of the "text" and of "char_offsets", [{"char", "start_offset", "end_offset"}]
            in frames.

        ValueError for an id outside the vocabulary.
        """
        heard = self._heard(token_ids, group_tokens, skip_special_tokens)
        if filter_word_delimiter_token:
            heard = [each for each in heard if each["char"] != self.word_delimiter_token]
        text = " ".join(each["char"] for each in heard).strip()
        text = cleaned(text) if self._cleans(clean_up_tokenization_spaces) else text
        return {"text": text, "char_offsets": heard} if output_char_offsets else text

    def _encode(self, *arguments, **options):
        self.backend.python.split.begin()
        return super()._encode(*arguments, **options)


class Phonemes:
    """Text -> its phonemes."""

    def __init__(self, config):
        self.options = {key: config[key] for key in OPTIONS}

    def __call__(self, text):
        text = text.strip()
        if self.options["do_phonemize"]:
            text = self.phonemize(text.lower())
        return [phoneme for phoneme in text.split(" ") if phoneme.strip()]

    def begin(self):
        """Find phonemizer and its program, if they are needed: inside of `tokenizers` errors would lose their type."""
        if self.options["do_phonemize"]:
            self._speaker()

    def phonemize(self, text):
        separator = imported("phonemizer.separator", "phonemizer", PURPOSE).Separator
        word = self.options["word_delimiter_token"]
        between = separator(phone=self.options["phone_delimiter_token"], word=f"{word} " if word else "", syllable="")
        return self._speaker().phonemize([text], separator=between)[0].strip()

    def _speaker(self):
        backends = imported("phonemizer.backend", "phonemizer", PURPOSE).BACKENDS
        name = self.options["phonemizer_backend"]
        if name not in backends:
            raise ValueError(f"phonemizer_backend={name!r} is unknown: use one of {', '.join(map(repr, backends))}.")
        return speaker(backends[name], self.options["phonemizer_lang"])


@cache
def speaker(backend, language):
    """One of phonemizer's backends for a language: to begin takes it a while."""
    return backend(language, language_switch="remove-flags")

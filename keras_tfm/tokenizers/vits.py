"""VITS' tokenizer, which MMS-TTS uses too: characters or phonemes, with blanks between them."""

import re
import warnings
from functools import cache

from keras_tfm.tokenizers.base import ONE_CALL, Tokenizer
from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import bare_frame
from keras_tfm.tokenizers.slow import SlowTokenizer, imported, slow_backend


class VitsTokenizer(SlowTokenizer):
    """Characters.

    Options besides those of `Tokenizer`:
        add_blank: the token of id 0 stands before, between and behind all others (default True).
        normalize: in lower case, but for capitals of the vocabulary, and unless `phonemize`, without characters outside
            it (default True); also of a call.
        phonemize: texts are words, to be made phonemes of (default True). It takes the package phonemizer, and
            espeak-ng.
        is_uroman: letters other than Latin ones are romanised, by the package uroman; without it there is a warning.
        language: whose letters have to be replaced ("ron").
    """

    vocab_files = ("vocab.json",)
    defaults = {
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "language": None,
        "add_blank": True,
        "normalize": True,
        "phonemize": True,
        "is_uroman": False,
    }
    model_input_names = ("input_ids", "attention_mask")
    _normalizes = None  # what a call says

    @classmethod
    def build(cls, files, config):
        vocab = read_vocab(files["vocab.json"])
        known, unknown = {**vocab}, config["unk_token"]
        vocab.setdefault(unknown, len(vocab))  # MMS has none
        backend = slow_backend(vocab, Characters(vocab, config["add_blank"]), bare_frame, config)
        backend.known = known
        return backend

    @property
    def vocab_size(self):
        """Tokens in the vocabulary, without the added ones; `len(tokenizer)` counts them all."""
        return len(self.backend.known)

    def __call__(self, text=None, text_pair=None, *, normalize=None, **options):
        with ONE_CALL:
            self._normalizes = normalize
            try:
                return super().__call__(text, text_pair, **options)
            finally:
                self._normalizes = None

    __call__.__doc__ = f"{Tokenizer.__call__.__doc__}\n        normalize: as for the class."

    def normalize_text(self, text):
        """A text in lower case, but for what are tokens as they stand."""
        added = [token.content for token in self.backend.get_added_tokens_decoder().values()]
        tokens = "|".join(map(re.escape, filter(None, [*self.backend.known, *added])))
        return re.sub(f"({tokens})|.", lambda match: match[1] or match[0].lower(), text, flags=re.DOTALL)

    def join(self, tokens):
        return "".join(tokens[1::2] if self.config["add_blank"] and len(tokens) > 1 else tokens)

    join.__doc__ = SlowTokenizer.join.__doc__

    def _encode(self, rows, *arguments, **options):
        return super()._encode(self._prepared(rows), *arguments, **options)

    def _prepared(self, text):
        """A text, or whatever is made of texts, as its characters are looked up."""
        if not isinstance(text, str):
            return type(text)(map(self._prepared, text))
        config, normalize = self.config, self.config["normalize"] if self._normalizes is None else self._normalizes
        text = self.normalize_text(text) if normalize else text
        text = text.replace("ț", "ţ") if config["language"] == "ron" else text
        if config["is_uroman"] and not text.isascii():
            text = romanized(text)
        if config["phonemize"]:
            return phonemized(text)
        return "".join(filter(self.backend.known.__contains__, text)).strip() if normalize else text


class Characters:
    """Text -> its characters, with blanks if wanted."""

    def __init__(self, vocab, blanks):
        self.blank = next((token for token, index in vocab.items() if index == 0), None) if blanks else None

    def __call__(self, text):
        if self.blank is None:
            return list(text)
        return [self.blank, *(token for letter in text for token in (letter, self.blank))]


def phonemized(text):
    """A text -> its phonemes, in American English."""
    phonemizer = imported("phonemizer", "phonemizer", "phonemize=True")
    options = {"strip": True, "preserve_punctuation": True, "with_stress": True}
    return re.sub(r"\s+", " ", phonemizer.phonemize(text, language="en-us", backend="espeak", **options))


def romanized(text):
    """A text in Latin letters, or as it is where the package that knows them is not installed."""
    try:
        return romanizer().romanize_string(text)
    except ImportError:
        warnings.warn(
            "the model reads Latin letters and the text has others, which are lost: pip install uroman", stacklevel=6
        )
        return text


@cache
def romanizer():
    """The romaniser with its tables, which take seconds to read."""
    import uroman

    return uroman.Uroman()

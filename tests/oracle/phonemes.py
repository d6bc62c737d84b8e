"""A stand-in for the package phonemizer, which runs programs that are not everywhere: it gives each letter a phoneme of
its own, on both sides."""

import sys
from types import ModuleType, SimpleNamespace

import regex


class Separator:
    def __init__(self, phone="", word=" ", syllable=""):
        self.phone, self.word, self.syllable = phone, word, syllable


class Backend:
    """A program of phonemizer's: letters of `language` "fr" sound otherwise."""

    made = []

    def __init__(self, language, language_switch="keep-flags"):
        assert language_switch == "remove-flags"
        Backend.made.append(language)
        self.language = language

    def phonemize(self, texts, separator):
        return [separator.word.join(map(lambda word: self._word(word, separator.phone), t.split())) for t in texts]

    def _word(self, word, between):
        sounds = {"a": "ɑː", "e": "ɛ", "i": "iː", "o": "ɔ", "u": "ʊ", "y": "aɪ", "h": ""}
        sounds |= {"r": "ʁ", "u": "y"} if self.language == "fr" else {"r": "ɹ"}
        heard = [sounds.get(letter, letter) for letter in regex.sub(r"\P{L}", "", word)]
        return "".join(sound + between for sound in heard if sound)


def phonemize(text, language, backend, strip, preserve_punctuation, with_stress):
    assert (language, backend, strip, preserve_punctuation, with_stress) == ("en-us", "espeak", True, True, True)
    return "  ".join("ˈ" + word.replace("a", "æ").replace("th", "ð") for word in text.split())


def module(name, **contents):
    made = ModuleType(name)
    made.__spec__ = SimpleNamespace(name=name, submodule_search_locations=[])
    vars(made).update(contents)
    return made


MODULES = {
    "phonemizer": module("phonemizer", phonemize=phonemize),
    "phonemizer.backend": module("phonemizer.backend", BACKENDS={"espeak": Backend}),
    "phonemizer.separator": module("phonemizer.separator", Separator=Separator),
}


def install():
    """Let `import phonemizer` find the stand-in, from now on."""
    sys.modules |= MODULES

"""Whisper's ways to write a transcript such that two of them can be compared word by word."""

import re
import unicodedata

from keras_tfm.tokenizers.spoken_numbers import to_digits

BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
PARENTHESES = re.compile(r"\(([^)]+?)\)")
LETTERS = {"œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS"}
LETTERS |= {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "th", "ł": "l", "Ł": "L"}
FILLERS = r"\b(hmm|mm|mhm|mmm|uh|um)\b"
WHOLE_WORDS = {
    "won't": "will not",
    "can't": "can not",
    "let's": "let us",
    "ain't": "aint",
    "y'all": "you all",
    "wanna": "want to",
    "gotta": "got to",
    "gonna": "going to",
    "i'ma": "i am going to",
    "imma": "i am going to",
    "woulda": "would have",
    "coulda": "could have",
    "shoulda": "should have",
    "ma'am": "madam",
}
TITLES = {
    "mr": "mister",
    "mrs": "missus",
    "st": "saint",
    "dr": "doctor",
    "prof": "professor",
    "capt": "captain",
    "gov": "governor",
    "ald": "alderman",
    "gen": "general",
    "sen": "senator",
    "rep": "representative",
    "pres": "president",
    "rev": "reverend",
    "hon": "honorable",
    "asst": "assistant",
    "assoc": "associate",
    "lt": "lieutenant",
    "col": "colonel",
    "jr": "junior",
    "sr": "senior",
    "esq": "esquire",
}
ENDINGS = {  # longer ones first
    "'d been": " had been",
    "'s been": " has been",
    "'d gone": " had gone",
    "'s gone": " has gone",
    "'d done": " had done",
    "'s got": " has got",
    "n't": " not",
    "'re": " are",
    "'s": " is",
    "'d": " would",
    "'ll": " will",
    "'t": " not",
    "'ve": " have",
    "'m": " am",
}
REPLACED = [(rf"\b{word}\b", new) for word, new in WHOLE_WORDS.items()]
REPLACED += [(rf"\b{word}\b", f"{new} ") for word, new in TITLES.items()]
REPLACED += [(rf"{ending}\b", new) for ending, new in ENDINGS.items()]
REPLACED = [(re.compile(pattern), new) for pattern, new in REPLACED]
KEPT = ".%$¢€£"  # they belong to numbers


def normalize_basic(text, remove_diacritics=False):
    """A text of any language in lower case, without punctuation, symbols and what stands in brackets.

    remove_diacritics: letters without their marks.
    """
    text = _outside_brackets(text.lower())
    if remove_diacritics:
        text = _without_marks(text)
    else:
        text = "".join(" " if _is_symbol(letter) else letter for letter in unicodedata.normalize("NFKC", text))
    return re.sub(r"\s+", " ", text.lower())


def normalize_english(text, spellings=None):
    """An English text likewise, with contractions and titles written out and numbers in digits.

    spellings: {British: American}, or None to leave words as they are.
    """
    text = re.sub(FILLERS, "", _outside_brackets(text.lower()))
    text = re.sub(r"\s+'", "'", text)
    for pattern, new in REPLACED:
        text = pattern.sub(new, text)
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    text = re.sub(r"\.([^0-9]|$)", r" \1", text)
    text = to_digits(_without_marks(text, KEPT))
    text = " ".join((spellings or {}).get(word, word) for word in text.split())
    text = re.sub(r"[.$¢€£]([^0-9])", r" \1", text)  # what is left of them beside no number
    text = re.sub(r"([^0-9])%", r"\1 ", text)
    return re.sub(r"\s+", " ", text)


def _outside_brackets(text):
    return PARENTHESES.sub("", BRACKETS.sub("", text))


def _is_symbol(letter):
    return unicodedata.category(letter)[0] in "MSP"


def _without_marks(text, kept=""):
    return "".join(
        map(lambda letter: letter if letter in kept else _plain(letter), unicodedata.normalize("NFKD", text))
    )


def _plain(letter):
    """A letter without its mark, a space for a symbol, nothing for a mark alone."""
    if letter in LETTERS:
        return LETTERS[letter]
    if unicodedata.category(letter) == "Mn":
        return ""
    return " " if _is_symbol(letter) else letter

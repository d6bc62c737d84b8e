"""Where the words of Japanese text begin and end: by spaces and punctuation, or as a morphological analyser says."""

import threading
import unicodedata
from pathlib import Path

from keras_tfm.tokenizers.slow import imported

DICTIONARIES = ("ipadic", "unidic_lite", "unidic")


class BasicWords:
    """Text -> what spaces and punctuation separate, without accents if in lower case."""

    def __init__(self, config):
        self.lower, self.kept = config["do_lower_case"], {*(config["never_split"] or ())}

    def __call__(self, text):
        printable = "".join(" " if is_space(x) else x for x in text if is_space(x) or is_printable(x))
        return [part for word in unicodedata.normalize("NFC", printable).split() for part in self.parts(word)]

    def parts(self, word):
        if word in self.kept:
            return [word]
        if self.lower:
            letters = unicodedata.normalize("NFD", word.lower())
            word = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
        return "".join(f" {letter} " if is_punctuation(letter) else letter for letter in word).split()


def is_space(letter):
    return letter in "\t\n\r" or unicodedata.category(letter) == "Zs"


def is_printable(letter):
    return letter != "\ufffd" and not unicodedata.category(letter).startswith("C")


def is_punctuation(letter):
    return unicodedata.category(letter).startswith("P") or letter in "$+<=>^`|~"


class AnalysedWords:
    """Text -> its words, as a morphological analyser tells them."""

    def __init__(self, config):
        kind = config["word_tokenizer_type"]
        options = dict(config[f"{kind}_kwargs"] or {})
        self.lower, self.kept = config["do_lower_case"], {*(config["never_split"] or ())}
        self.normalize, self.trim = options.pop("normalize_text", True), options.pop("trim_whitespace", False)
        self.analyse = ANALYSERS[kind](**options)

    def __call__(self, text):
        words = self.analyse(unicodedata.normalize("NFKC", text) if self.normalize else text)
        words = [word.lower() if self.lower and word not in self.kept else word for word in words]
        return [word.strip() for word in words if word.strip()] if self.trim else words


def mecab(mecab_dic="ipadic", mecab_option=None):
    fugashi = imported("fugashi", "fugashi", "word_tokenizer_type='mecab'")
    option = mecab_option or ""
    if mecab_dic is not None:
        if mecab_dic not in DICTIONARIES:
            raise ValueError(f"mecab_dic={mecab_dic!r} is unknown: use one of {', '.join(DICTIONARIES)}, or None.")
        folder = Path(imported(mecab_dic, mecab_dic.replace("_", "-"), f"mecab_dic={mecab_dic!r}").DICDIR)
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is missing: fetch the dictionary with python -m {mecab_dic} download")
        option = f'-d "{folder}" -r "{folder / "mecabrc"}" {option}'
    analyser = fugashi.GenericTagger(option)
    return lambda text: [word.surface for word in analyser(text)]


def sudachi(
    sudachi_split_mode="A",
    sudachi_config_path=None,
    sudachi_resource_dir=None,
    sudachi_dict_type="core",
    sudachi_projection=None,
):
    package = imported("sudachipy", "sudachipy", "word_tokenizer_type='sudachi'")
    if sudachi_split_mode not in ("A", "B", "C"):
        raise ValueError(f"sudachi_split_mode={sudachi_split_mode!r} is unknown: use A, B or C.")
    dictionary = package.Dictionary(
        config_path=sudachi_config_path, resource_dir=sudachi_resource_dir, dict=sudachi_dict_type
    )
    analyser = dictionary.create(getattr(package.SplitMode, sudachi_split_mode), projection=sudachi_projection)
    turns = threading.Lock()  # an analyser at work refuses a second thread

    def analyse(text):
        with turns:
            return [word.surface() for word in analyser.tokenize(text)]

    return analyse


def jumanpp():
    analyser = imported("rhoknp", "rhoknp", "word_tokenizer_type='jumanpp'").Jumanpp()
    if not analyser.is_available():
        raise FileNotFoundError("word_tokenizer_type='jumanpp' runs the program jumanpp: install Juman++.")
    return lambda text: [word.text for word in analyser.apply_to_sentence(text.strip()).morphemes]


ANALYSERS = {"mecab": mecab, "sudachi": sudachi, "jumanpp": jumanpp}
WORDS = {"basic": BasicWords, **dict.fromkeys(ANALYSERS, AnalysedWords)}

"""XLM's tokenizer: Moses' punctuation, words and, without case and accents, byte-pair encoding."""

import functools
import re
import unicodedata
from pathlib import Path

from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import bert_frame
from keras_tfm.tokenizers.slow import BytePairs, SlowTokenizer, imported, slow_backend

ASCII = str.maketrans(
    "，、“”《》「」∶：？！（）【】〈〉；０１２３４５６７８９～’━％",
    ',,""""""::?!()[]<>;0123456789~\'-%',
)
ASCII[ord("…")] = "..."
ROMANIAN = str.maketrans("ŞşȘșŢţȚțĂăÂâÎî", "SsSsTtTtAaAaIi")
SEGMENTERS = {"zh": ("jieba", "jieba"), "th": ("pythainlp.tokenize", "pythainlp"), "ja": ("Mykytea", "kytea")}


class XLMTokenizer(SlowTokenizer):
    """BPE whose tokens end in `</w>` at the end of a word, with `<s> A </s>` and `<s> A </s> B </s>`.

    Options besides those of `Tokenizer`: `do_lowercase_and_remove_accent` (default True; False for XLM-17 and XLM-100)
    and `lang` (default "en"), the language whose rules split the text.

    It needs the package sacremoses; for Chinese, Thai and Japanese (`lang` "zh", "th", "ja") also jieba, pythainlp or
    kytea. ImportError where one is missing.
    """

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "</s>",
        "mask_token": "<special1>",
        "additional_special_tokens": [f"<special{number}>" for number in range(10)],
        "do_lowercase_and_remove_accent": True,
        "lang": "en",
    }
    lower_case_option = "do_lowercase_and_remove_accent"

    @classmethod
    def build(cls, files, config):
        words = Words(config["lang"], config["do_lowercase_and_remove_accent"], BytePairs(files["merges.txt"]))
        framed = {**config, "cls_token": config["bos_token"]}  # cls_token is another name of the end
        return slow_backend(read_vocab(files["vocab.json"]), words, bert_frame, framed)

    def join(self, tokens):
        return "".join(tokens).replace("</w>", " ").strip()


class Words:
    """Text -> the symbols of its words, in the manner of `lang`."""

    def __init__(self, lang, plain, pairs):
        moses = imported("sacremoses", "sacremoses", "XLMTokenizer")
        if lang in SEGMENTERS:
            segmenter(lang)
        self.lang, self.plain, self.pairs = lang, plain, pairs
        self.normalizer = moses.MosesPunctNormalizer(lang=lang)
        self.moses = moses.MosesTokenizer(lang=lang)

    def __call__(self, text):
        words = self.words(text)
        if self.plain:
            letters = unicodedata.normalize("NFD", " ".join(words).lower())
            words = "".join(x for x in letters if unicodedata.category(x) != "Mn").lower().split(" ")
        return [symbol for word in words if word for symbol in " ".join(self.pairs(word)).split(" ")]

    def words(self, text):
        if self.lang == "zh":
            return self.cleaned(" ".join(segmenter("zh").cut(text))).split()
        text = self.cleaned(text)
        if self.lang == "th":
            return segmenter("th").word_tokenize(text)
        if self.lang == "ja":
            return list(kytea().getWS(text))
        return self.moses.tokenize(text.translate(ROMANIAN) if self.lang == "ro" else text, escape=False)

    def cleaned(self, text):
        return cleaned(text, self.normalizer)


def cleaned(text, normalizer):
    """Unicode punctuation as ASCII, Moses' normalisation, and nothing unprintable."""
    text = normalizer.normalize(re.sub(r"[。．]\s*", ". ", text).translate(ASCII))
    return "".join(letter for letter in text if not unicodedata.category(letter).startswith("C"))


def segmenter(lang):
    """The module that finds the words of a language that writes no spaces."""
    return imported(*SEGMENTERS[lang], f"XLMTokenizer with lang={lang!r}")


@functools.cache
def kytea():
    """KyTea with the model that its `make install` puts into the home directory."""
    return segmenter("ja").Mykytea(f"-model {Path.home() / 'local/share/kytea/model.bin'}")

"""FSMT's tokenizer, that of fairseq's WMT models: Moses' words, byte-pair encoding, a vocabulary for each language."""

from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import frame
from keras_tfm.tokenizers.slow import BytePairs, SlowTokenizer, imported, slow_backend
from keras_tfm.tokenizers.xlm import cleaned


class FSMTTokenizer(SlowTokenizer):
    """BPE whose tokens end in `</w>` at the end of a word, with `A </s>` and `A </s> B </s>`.

    Ids become text by the vocabulary of the language that the model writes; `text_target` is encoded like `text`, as in
    the reference.

    Options besides those of `Tokenizer`: `langs`, the two languages (`["en", "ru"]`; ValueError without), and
    `do_lower_case` (default False). It needs the package sacremoses; ImportError without it.
    """

    vocab_files = ("vocab-src.json", "vocab-tgt.json", "merges.txt")
    defaults = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "langs": None,
        "do_lower_case": False,
    }
    model_input_names = ("input_ids", "attention_mask")
    lower_case_option = "do_lower_case"

    @classmethod
    def build(cls, files, config):
        langs = config["langs"]
        if not isinstance(langs, list | tuple) or len(langs) != 2:
            raise ValueError(f"langs={langs!r} must name two languages, langs=['en', 'ru'].")
        words = Words(langs[0], BytePairs(files["merges.txt"]))
        backend = slow_backend(read_vocab(files["vocab-src.json"]), words, end_frame, config)
        backend.written = read_vocab(files["vocab-tgt.json"])
        return backend

    @property
    def src_lang(self):
        """The language of `text`."""
        return self.config["langs"][0]

    @property
    def tgt_lang(self):
        """The language that the model writes."""
        return self.config["langs"][1]

    def join(self, tokens):
        moses = imported("sacremoses", "sacremoses", "FSMTTokenizer")
        words = "".join(token.replace(" ", "").replace("</w>", " ") for token in tokens).split()
        return moses.MosesDetokenizer(lang=self.tgt_lang).detokenize(words)

    join.__doc__ = SlowTokenizer.join.__doc__


class Words:
    """Text -> the symbols of its words."""

    def __init__(self, lang, pairs):
        moses = imported("sacremoses", "sacremoses", "FSMTTokenizer")
        self.pairs = pairs
        self.normalizer, self.moses = moses.MosesPunctNormalizer(lang=lang), moses.MosesTokenizer(lang=lang)

    def __call__(self, text):
        words = self.moses.tokenize(cleaned(text, self.normalizer), aggressive_dash_splits=True, escape=True)
        return [symbol for word in words if word for symbol in " ".join(self.pairs(word)).split(" ")]


def end_frame(backend, config):
    """`A </s>` and `A </s> B </s>`, B of type 1."""
    last = config["sep_token"]
    return frame(backend, f"$A {last}", f"$A {last} $B:1 {last}:1")

"""What tokenizer recipes are made of: a family's classes, variants of options, awkward texts, small vocabularies."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import sentencepiece
import tokenizers
import transformers
from make_tokenizers import TEXTS as BERT_TEXTS

CORPUS = """The cat sat on the mat, and the dogs are eating! A man is not a woman; hello world.
Hello, the dog isn't here: it doesn't eat bread (2023), drinks 10.50 or 1,000 and believes in wonderful food?
We are very happy to show you the library. She said: "don't play, run and eat". i'm we've you're he'd they'll
Le café naïve résumé, l'été à la plage: où est le garçon? Ça va très bien, merci beaucoup.
Der Hund läuft über die Straße, größer als die Katze. El niño come una manzana. İstanbul çok güzel, ışık.
Привет мир, кошка сидит на ковре. Καλημέρα κόσμε. שלום עולם. مرحبا بالعالم.
中文字符 日本語のテスト 한국어 문장 ไทย हिन्दी 😀 👍 € £ … — « » “ ” @user #tag http://a.b/c
3.14 + 2 = 5 % $ & * / < > [ ] { } | ~ ^ _ ` \\ MASK Cat CAT Hello HELLO unable eating played player running
"""

TEXTS = {name: text for name, text in BERT_TEXTS.items() if name not in ("mask", "hashes", "long_unknown", "edges")}
TEXTS |= {
    "spaces_around": "  Hello   world  ",
    "newlines": "Hello\nworld\n\n the\t\tcat \n",
    "space_then_punctuation": "the cat , the dog . hello ! don 't i 'm",
    "metaspace": "a\u2581b \u2581\u2581 \u2581hello hello\u2581",
    "end_of_word": "a</w> b@@ @-@ <s> x </s>",
    "mixed": "HeLLo wOrld iPhone USA the-cat user@mail.com http://a.b/c?d=1 @user #tag",
    "thai_hindi": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0e44\u0e17\u0e22 \u0939\u093f\u0928\u094d\u0926\u0940",
    "full_width": "\uff28\uff45\uff4c\uff4c\uff4f\uff01 \uff11\uff12 \u2460 \ufb01 \u00bd \u2122",
    "numbers": "10,000 3,5 2023, 1,, ,1 9,",
}
TEXTS["long_word"] = "a" * 41 + " un" + "able" * 5

A = ["the cat sat on the mat", "hello world", "", "unable dogs are eating food . the man is not"]
B = ["the dog", "a man eating bread is not a woman drinking", "hello", "the"]
WORDS = [["the", "unable", "caf\u00e9", "don't"], ["hello"]]
PAIR = {"text": [A[0], A[3]], "text_pair": B[:2]}
CALLS = [
    {"text": A},
    {"text": A, "text_pair": B},
    {"text": A[0], "text_pair": B[0], "add_special_tokens": False},
    {"text": A, "text_pair": B, "truncation": True, "max_length": 12},
    {"text": A[3], "text_pair": B[0], "truncation": "only_first", "max_length": 12},
    {"text": B[0], "text_pair": B[1], "truncation": "only_second", "max_length": 14},
    {"text": A, "truncation": True, "max_length": 6, "padding": "max_length"},
    {"text": A, "pad_to_multiple_of": 8},
]

# For SentencePiece, which composes letters and marks; the reference's fast classes fail to.
DECOMPOSED = {"decomposed": unicodedata.normalize("NFD", "Ti\u1ebfng Vi\u1ec7t \ud55c\uad6d\uc5b4 \u1f04")}

# Texts on which a slow class differs from what the `tokenizers` library can do, and why.
TABLES = ["unicode_punctuation"]  # characters newer than the library's tables of punctuation
COMPOSED = ["hangul_jamo"]  # the slow class composes accents that it doesn't strip


@dataclass
class Variant:
    """Options of the class. `differs`: the texts that the `tokenizers` library cannot split as the slow class does.
    `mended`: those that the reference's version of the library splits otherwise than ours, which agrees with the slow
    class.

    `words` says whether the reference takes texts that are split into words.
    """

    options: dict = field(default_factory=dict)
    differs: list = ()
    mended: list = ()
    decodes_differently: list = ()  # the same for the slow class's decoded text; only where there is no fast class
    words: bool = True


@dataclass
class Case:
    """A family: the reference's classes by name, `write(folder)` for its vocabulary files, and variants by name.

    Without a slow class the only file is tokenizer.json. `name` is that of our class, where it is not the reference's.
    The first variant, which has no options, is recorded whole, the others where they differ from it. `model_types`:
    those of config.json whose checkpoints may hold only the vocabulary files. `texts`: tried besides the shared ones,
    all or those named. `more(tokenizer)`: what else to record of the class, for a test of its own. `as_stored(fast)`:
    make a tokenizer that the reference built from vocabulary files what the checkpoints' tokenizer.json has.
    """

    slow: str | None
    fast: str | None
    write: Callable
    model_types: tuple = ()
    variants: dict = field(default_factory=lambda: {"default": Variant()})
    texts: dict = field(default_factory=dict)
    calls: list = field(default_factory=lambda: CALLS)
    shared: tuple = tuple(TEXTS)
    more: Callable | None = None
    name: str | None = None
    as_stored: Callable | None = None

    def load(self, kind, folder, **options):
        """The reference's slow or fast tokenizer."""
        tokenizer = getattr(transformers, getattr(self, kind)).from_pretrained(folder, **options)
        if kind == "fast" and self.as_stored:
            self.as_stored(tokenizer)
        return tokenizer


def texts_for(case, tokenizer):
    """Name -> text: the shared ones, the case's, and some around the tokenizer's own special tokens."""
    special = {name: getattr(tokenizer, f"{name}_token") or "" for name in ("mask", "sep", "cls", "pad", "unk", "bos")}
    mask, sep, cls, pad, unk, bos = special.values()
    return {
        **{name: TEXTS[name] for name in case.shared},
        "special": f"the {mask} sat on {mask}, x{mask}y {sep} {cls}{pad}{unk} {bos}a",
        "special_alike": f"{mask.lower()} {mask.upper()} < mask > [ MASK ] {mask[1:]}",
        "special_spaces": f" {mask}  the  {mask}  {sep} ",
        **case.texts,
    }


def train_sentencepiece(path, kind="unigram", size=420, normalises=True, **options):
    """A SentencePiece model over the corpus, whose normalisation is nmt_nfkc for the characters in sight, or none.

    (The whole rule would be a quarter of a megabyte; the few rules make a table of the same form.)
    """
    rules = path.with_suffix(".tsv")
    rules.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{b}\n" for a, b in nmt_nfkc() if normalises))
    options |= {"normalization_rule_tsv": str(rules)} if normalises else {"normalization_rule_name": "identity"}
    corpus = path.with_suffix(".txt")
    corpus.write_text(CORPUS * 3, encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(path.with_suffix("")),
        model_type=kind,
        vocab_size=size,
        character_coverage=1.0,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    path.with_suffix(".model").rename(path)
    for extra in (rules, corpus, path.with_suffix(".vocab")):
        extra.unlink()


def nmt_nfkc():
    """(characters, code points they become) wherever the rule changes a character, or a letter with its mark."""
    normalizer = sentencepiece.SentencePieceNormalizer(
        rule_name="nmt_nfkc", add_dummy_prefix=False, escape_whitespaces=False, remove_extra_whitespaces=False
    )
    text = CORPUS + "".join(TEXTS.values())
    text += DECOMPOSED["decomposed"] + unicodedata.normalize("NFC", DECOMPOSED["decomposed"])
    units = {*text, *(unicodedata.normalize("NFD", character) for character in text)}
    units |= {a + b for a, b in zip(text, text[1:], strict=False) if unicodedata.combining(b)}
    for unit in sorted(units - {"\0"}):
        normal = normalizer.normalize(unit)
        if normal != unit and not unit.isspace() or unit in "\u00a0\u3000\t\n":
            yield unit, " ".join(f"{ord(c):X}" for c in normal)


def train_byte_level_bpe(folder, special, size=500):
    """vocab.json (the special tokens first) and merges.txt of a byte-level BPE over the corpus."""
    backend = tokenizers.ByteLevelBPETokenizer()
    backend.train_from_iterator(CORPUS.split("\n"), vocab_size=size, special_tokens=special, show_progress=False)
    backend.save_model(str(folder))


def train_wordpiece(path, special, lowercase=True, size=420):
    """vocab.txt (the special tokens first) of a WordPiece over the corpus."""
    backend = tokenizers.BertWordPieceTokenizer(lowercase=lowercase)
    backend.train_from_iterator(CORPUS.split("\n"), vocab_size=size, special_tokens=special, show_progress=False)
    vocab = json.loads(backend._tokenizer.to_str())["model"]["vocab"]
    # Words of the same count come in any order; sorted, the file is always the same.
    tokens = [*special, *sorted(vocab.keys() - {*special})]
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")

"""XLM: Moses' words, byte-pair encoding whose symbols end in </w> at the end of a word."""

import json

from tokenizer_recipe import CORPUS, Case, Variant
from tokenizer_recipes.phobert import all_symbols

SPECIAL = ["<s>", "</s>", "<pad>", "<unk>", *(f"<special{number}>" for number in range(10))]

TEXTS = {
    "quotes": "\u201eHallo\u201c \u00abici\u00bb ``so'' \u2018it\u2019s\u2019 \u2013 \u2014 \u2026 \"x\" 'y'",
    "full_stops": "\u597d\u3002 \u4e0d\u597d\uff0e\u3000ok\uff0c\u300aa\u300b\uff08\uff11\uff05\uff09\u3010b\u3011",
    "waves": "\u301cc\uff5e\u2501 \u300c\u2236\uff1b\u3008\u3009\u300d \uff1f\uff01\uff10\uff19",
    "entities": "a &amp; b &lt; c &quot; [x] | y & z",
    "abbreviations": "Mr. Smith vs. Dr. No. e.g. i.e. 3. Aufl. U.S.A. No. 7, it's l'\u00e9t\u00e9 rock'n'roll",
    "hyphens": "well-known --- - -- x-y @-@ 1-2 ... .... a...b",
    "urls": "see https://example.com/a?b=c, or user.name@mail.example.org!",
    "unprintable": "a\u200bb\u00adc\u0007d \ufeffe",
}


def write_pairs(folder, text, special, merges=250, but="", counts=True):
    """vocab.json, without the symbols that hold a letter of `but`, and merges.txt, with or without its counts."""
    symbols, pairs = all_symbols(text, merges)
    kept = [symbol for symbol in symbols if not {*symbol.removesuffix("</w>")} & {*but}]
    vocab = {token: index for index, token in enumerate(dict.fromkeys([*special, *kept]))}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = [" ".join(map(str, pair if counts else pair[:2])) for pair in pairs]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


CASES = {
    "xlm": Case(
        "XLMTokenizer",
        None,
        lambda folder: write_pairs(folder, f"{CORPUS} {CORPUS.lower()}", SPECIAL, but="ñç"),
        ("xlm",),
        {"default": Variant(), "cased": Variant({"do_lowercase_and_remove_accent": False})},
        TEXTS,
    )
}

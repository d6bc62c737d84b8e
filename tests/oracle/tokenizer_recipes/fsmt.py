"""FSMT: Moses' words, byte-pair encoding with merges for both languages and a vocabulary for each."""

import json

from tokenizer_recipe import CORPUS, Case, Variant
from tokenizer_recipes.phobert import all_symbols
from tokenizer_recipes.xlm import TEXTS

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LANGS = {"langs": ["en", "de"]}


def write(folder):
    symbols, pairs = all_symbols(f"{CORPUS} {CORPUS.lower()} &apos; &quot; @-@ &amp; ", 250)
    for side, left_out in (("src", "\u00f1\u00e7"), ("tgt", "\u00f1\u044b")):
        kept = [symbol for symbol in symbols if not {*symbol.removesuffix("</w>")} & {*left_out}]
        tokens = dict.fromkeys([*SPECIAL, *(kept if side == "src" else kept[::-1])])
        vocab = {token: index for index, token in enumerate(tokens)}
        (folder / f"vocab-{side}.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = [f"{left} {right} {count}\n" for left, right, count in pairs]
    (folder / "merges.txt").write_text("".join(lines), encoding="utf-8")


CASES = {
    "fsmt": Case(
        "FSMTTokenizer",
        None,
        write,
        ("fsmt",),
        {"default": Variant(LANGS), "lower_case": Variant({**LANGS, "do_lower_case": True})},
        TEXTS,
    )
}

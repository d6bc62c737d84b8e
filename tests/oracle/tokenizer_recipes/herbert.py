"""HerBERT: BERT's words, byte-pair encoding whose symbols end in </w> at the end of a word."""

from tokenizer_recipe import CORPUS, Case, Variant
from tokenizer_recipes.xlm import write_pairs

POLISH = "Kto ma lepszą sztukę , ma lepszy rząd – to jasne . Zażółć gęślą jaźń ; „ mówił ” źródło ! Łódź"

TEXTS = {
    "polish": "Kto ma lepszą sztukę, ma lepszy rząd – to jasne. „Zażółć” gęślą-jaźń; Łódź!",
    "unseen": "ßtrange ñot_ín_it ⟂ a⟂ ⟂a ⟂⟂",
}

CASES = {
    "herbert": Case(
        "HerbertTokenizer",
        "HerbertTokenizerFast",
        lambda folder: write_pairs(
            folder, f"{CORPUS} {POLISH} " * 2, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], counts=False
        ),
        ("herbert",),
        {"default": Variant(differs=("unicode_punctuation",))},
        texts=TEXTS,
    )
}

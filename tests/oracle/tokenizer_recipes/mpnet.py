"""MPNet: WordPiece with RoBERTa's special tokens."""

from tokenizer_recipe import COMPOSED, TABLES, Case, Variant, train_wordpiece

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]"]
LOWERED = ["special_alike"]  # the slow class knows a special token in capitals too

CASES = {
    "mpnet": Case(
        "MPNetTokenizer",
        "MPNetTokenizerFast",
        lambda folder: train_wordpiece(folder / "vocab.txt", [*SPECIAL, "<mask>"]),
        ("mpnet",),
        {
            "default": Variant(differs=[*TABLES, *LOWERED]),
            "cased": Variant({"do_lower_case": False}, differs=[*TABLES, *COMPOSED]),
            "with_accents": Variant({"strip_accents": False}, differs=[*TABLES, *COMPOSED, *LOWERED]),
        },
    )
}

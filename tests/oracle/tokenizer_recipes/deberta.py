"""DeBERTa: byte-level BPE with BERT's special tokens."""

from tokenizer_recipe import Case, Variant, train_byte_level_bpe

SPECIAL = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]

CASES = {
    "deberta": Case(
        "DebertaTokenizer",
        "DebertaTokenizerFast",
        lambda folder: train_byte_level_bpe(folder, SPECIAL),
        ("deberta",),
        {
            "default": Variant(words=False),
            # The slow class puts the space before the first word only, not behind every special token.
            "prefix_space": Variant({"add_prefix_space": True}, differs=["special"]),
        },
    )
}

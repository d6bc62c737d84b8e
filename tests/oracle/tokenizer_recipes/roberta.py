"""RoBERTa: byte-level BPE."""

from tokenizer_recipe import Case, Variant, train_byte_level_bpe

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

CASES = {
    "roberta": Case(
        "RobertaTokenizer",
        "RobertaTokenizerFast",
        lambda folder: train_byte_level_bpe(folder, SPECIAL),
        ("roberta",),
        {
            "default": Variant(words=False),
            # The slow class puts the space before the first word only, not behind every special token.
            "prefix_space": Variant({"add_prefix_space": True}, differs=["special"]),
            "untrimmed": Variant({"trim_offsets": False}, words=False),
        },
    )
}

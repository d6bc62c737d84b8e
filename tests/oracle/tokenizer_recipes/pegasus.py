"""Pegasus, and BigBird-Pegasus, whose ids are those of the file: SentencePiece behind reserved tokens."""

from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece
from tokenizer_recipes.mbart import PAIRS

OPTIONS = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "pad_piece": "<pad>"}
TEXTS = {**DECOMPOSED, "masks": "the<mask_1> cat <mask_2> <unk_2>sat <unk_102> on <unk_103>the</s>"}
PLAIN = {"offset": 0, "mask_token": "[MASK]", "mask_token_sent": None}

# The library splits at whitespace that the file's own normalisation leaves alone.
BLANKS = ["control", "spaces_unicode", "tabs"]

CASES = {
    "pegasus": Case(
        "PegasusTokenizer",
        "PegasusTokenizerFast",
        lambda folder: train_sentencepiece(folder / "spiece.model", **OPTIONS),
        ("pegasus", "pegasus_x"),
        {"default": Variant(differs=BLANKS)},
        TEXTS,
        calls=[*CALLS, PAIRS],
    ),
    "pegasus_plain": Case(
        "PegasusTokenizer",
        "PegasusTokenizerFast",
        lambda folder: train_sentencepiece(folder / "spiece.model", **OPTIONS, control_symbols=["[MASK]"]),
        ("bigbird_pegasus",),
        {"default": Variant(PLAIN, differs=BLANKS)},
        TEXTS,
        calls=CALLS[:2],
    ),
}

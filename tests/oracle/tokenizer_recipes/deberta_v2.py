"""DeBERTa v2 and v3: SentencePiece, with the mask outside the file's vocabulary."""

from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece

OPTIONS = {
    "pad_id": 0,
    "bos_id": 1,
    "eos_id": 2,
    "unk_id": 3,
    "pad_piece": "[PAD]",
    "bos_piece": "[CLS]",
    "eos_piece": "[SEP]",
    "unk_piece": "[UNK]",
}

CASES = {
    "deberta_v2": Case(
        "DebertaV2Tokenizer",
        "DebertaV2TokenizerFast",
        lambda folder: train_sentencepiece(folder / "spm.model", **OPTIONS),
        ("deberta-v2",),
        {
            "default": Variant(),
            "lower_case": Variant({"do_lower_case": True}),
            # The slow class splits before it normalises: an ellipsis is one sign there and three here.
            "punctuation": Variant({"split_by_punct": True}, differs=["punctuation", "unicode_punctuation"]),
        },
        texts=DECOMPOSED,
    ),
    "deberta_v2_bytes": Case(  # as v3's: unknown characters are bytes, which the fast class cannot do
        "DebertaV2Tokenizer",
        None,
        lambda folder: train_sentencepiece(folder / "spm.model", size=520, byte_fallback=True, **OPTIONS),
        texts=DECOMPOSED,
        calls=CALLS[:2],
    ),
}

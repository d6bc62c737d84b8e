"""XLM-RoBERTa (and XLM-V, which is one with a larger vocabulary): SentencePiece with fairseq's ids."""

from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece

CASES = {
    "xlm_roberta": Case(
        "XLMRobertaTokenizer",
        "XLMRobertaTokenizerFast",
        lambda folder: train_sentencepiece(folder / "sentencepiece.bpe.model"),
        ("xlm-roberta",),
        {
            "default": Variant(),
            "named_mask": Variant({"mask_token": "<mask>"}),  # still takes the space before it
        },
        texts=DECOMPOSED,
    ),
    "xlm_roberta_bpe": Case(  # later families have models of this kind; the class doesn't matter
        "XLMRobertaTokenizer",
        "XLMRobertaTokenizerFast",
        lambda folder: train_sentencepiece(
            folder / "sentencepiece.bpe.model", "bpe", 500, user_defined_symbols=["hello", "<extra>"]
        ),
        texts=DECOMPOSED,
        calls=CALLS[:2],
    ),
}

"""CamemBERT: SentencePiece with fairseq's ids."""

from tokenizer_recipe import DECOMPOSED, Case, train_sentencepiece

CASES = {
    "camembert": Case(
        "CamembertTokenizer",
        "CamembertTokenizerFast",
        lambda folder: train_sentencepiece(folder / "sentencepiece.bpe.model"),
        ("camembert",),
        texts=DECOMPOSED,
    )
}

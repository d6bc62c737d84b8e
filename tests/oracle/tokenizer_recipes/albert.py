"""ALBERT, and FNet, which keeps case and accents: SentencePiece with BERT's special tokens."""

from tokenizer_recipe import DECOMPOSED, Case, Variant, train_sentencepiece

# As in the checkpoints: special tokens of its own, and punctuation that never becomes part of a longer piece.
OPTIONS = {
    "pad_id": 0,
    "unk_id": 1,
    "bos_id": -1,
    "eos_id": -1,
    "pad_piece": "<pad>",
    "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
    "user_defined_symbols": ["(", ")", '"', "-", ".", "\u2013", "\u00a3", "\u20ac"],
}

ACCENTS = ["thai_hindi"]  # the library strips vowel signs too, the slow class none that combine with class 0


def write(folder):
    train_sentencepiece(folder / "spiece.model", **OPTIONS)


CASES = {
    "albert": Case(
        "AlbertTokenizer",
        "AlbertTokenizerFast",
        write,
        ("albert",),
        {
            "default": Variant(differs=ACCENTS),
            "cased_with_accents": Variant({"do_lower_case": False, "keep_accents": True}),
            "spaces": Variant({"remove_space": False}, differs=ACCENTS),
        },
        texts=DECOMPOSED,
    ),
    "fnet": Case("FNetTokenizer", "FNetTokenizerFast", write, ("fnet",), texts=DECOMPOSED),
}

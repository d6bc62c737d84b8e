"""ESM: residues of proteins."""

from tokenizer_recipe import Case

VOCAB = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]

TEXTS = {
    "protein": "MKTVRQERLKSIVRILERSKEPVSGAQLAEELSVSRQVIVQDIAYLRSLGYNIVATPRGYVLAGG",
    "masked": "MKT<mask>RQE <mask>\nLKSIV",
    "spaced": "M K T  V R",
    "lower_case": "mktvRQEjJ",
    "unknown": "MJ1K#T*<nul><null_1><null_2>",
    "gaps": "M-K..T<pad>",
}

CALLS = [
    {"text": [TEXTS["protein"], TEXTS["masked"]]},
    {"text": ["MKTV", "M"], "text_pair": ["RQE", "LKSIV"]},
    {"text": [TEXTS["protein"], "M"], "truncation": True, "max_length": 9, "padding": "max_length"},
]


def write(folder):
    (folder / "vocab.txt").write_text("\n".join(VOCAB), encoding="utf-8")


CASES = {"esm": Case("EsmTokenizer", None, write, ("esm",), texts=TEXTS, calls=CALLS)}

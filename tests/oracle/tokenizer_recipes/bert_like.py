"""BERT and the models that have its tokenizer under their own name: a few texts, as BERT's own tests try them all."""

import torch
from tokenizer_recipe import CALLS, COMPOSED, TABLES, Case, Variant, train_wordpiece

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NAMES = {"bert": "Bert", "distilbert": "DistilBert", "electra": "Electra", "mobilebert": "MobileBert"}

TEXTS = ("plain", "accents", "cjk", "hangul_jamo", "punctuation", "unicode_punctuation", "mixed")


def write(folder):
    train_wordpiece(folder / "vocab.txt", SPECIAL)


CASES = {
    model_type: Case(
        f"{name}Tokenizer",
        f"{name}TokenizerFast",
        write,
        (model_type,),
        {
            "default": Variant(differs=TABLES),
            "cased": Variant({"do_lower_case": False}, differs=[*TABLES, *COMPOSED]),
        },
        shared=TEXTS,
    )
    for model_type, name in NAMES.items()
}

QUESTION = "who sat on the mat?"
TITLES = ["the cat", "dogs", "Caf\u00e9", ""]
PASSAGES = ["the cat sat on the mat, hello world", "unable dogs are eating food", "[PAD] bread [SEP] is not", ""]
READER_CALLS = [
    {"questions": QUESTION, "titles": TITLES, "texts": PASSAGES},
    {"questions": [QUESTION, "is it?"], "titles": TITLES[:2], "texts": PASSAGES[:2]},
    {"questions": QUESTION, "titles": "the cat", "texts": "the cat sat"},
    {"questions": QUESTION, "titles": TITLES, "texts": PASSAGES, "max_length": 14, "truncation": True},
    {"questions": QUESTION, "titles": TITLES, "texts": PASSAGES, "max_length": 40, "padding": "max_length"},
]


def read(tokenizer):
    """Calls of the reader's tokenizer, and the answers for some logits (with ties)."""
    calls = [{"call": call, "output": dict(tokenizer(**{"padding": True, **call}))} for call in READER_CALLS]
    encoded = tokenizer(QUESTION, TITLES, PASSAGES, padding=True, return_tensors="pt")
    torch.manual_seed(0)
    shape = encoded["input_ids"].shape
    logits = [torch.randn(shape).mul(4).round() / 4, torch.randn(shape).mul(4).round() / 4, torch.randn(shape[:1])]
    encoded["input_ids"] = encoded["input_ids"].tolist()
    answers = [
        {"options": options, "spans": [[value_of(v) for v in span] for span in best]}
        for options in ({}, {"num_spans": 3, "num_spans_per_passage": 2}, {"max_answer_length": 2})
        for best in [tokenizer.decode_best_spans(encoded, logits, **options)]
    ]
    return {"calls": calls, "logits": [value.tolist() for value in logits], "answers": answers}


def value_of(value):
    return value.item() if isinstance(value, torch.Tensor) else value


for kind in ("QuestionEncoder", "ContextEncoder", "Reader"):
    CASES[f"dpr_{kind.lower()}"] = Case(
        f"DPR{kind}Tokenizer",
        f"DPR{kind}TokenizerFast",
        write,
        ("dpr",) if kind == "QuestionEncoder" else (),
        {"default": Variant(differs=TABLES, words=False)},
        shared=TEXTS,
        calls=[{"questions": PASSAGES, "titles": TITLES}] if kind == "Reader" else CALLS[:2],
        more=read if kind == "Reader" else None,
    )

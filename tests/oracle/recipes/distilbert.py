"""DistilBERT: every head, padding on either side, without a mask and from vectors; waves as positions; untied words."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 48,
    "max_position_embeddings": 24,
}
HEADS = [
    "DistilBertModel",
    "DistilBertForMaskedLM",
    "DistilBertForSequenceClassification",
    "DistilBertForMultipleChoice",
    "DistilBertForTokenClassification",
    "DistilBertForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))


def calls(name):
    if name == "DistilBertForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61)))]
    if name != "DistilBertModel":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call({"input_ids": TEXT["input_ids"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32)), "attention_mask": TEXT["attention_mask"][:, :5]}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "variant",
        CONFIG | {"sinusoidal_pos_embds": True, "activation": "relu", "tie_word_embeddings": False, "num_labels": 5},
        ["DistilBertModel", "DistilBertForMaskedLM", "DistilBertForSequenceClassification"],
        calls,
    ),
]

"""MPNet: every head; padding on either side, which moves positions but not distances; text beyond the buckets."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
}
HEADS = [
    "MPNetModel",
    "MPNetForMaskedLM",
    "MPNetForSequenceClassification",
    "MPNetForMultipleChoice",
    "MPNetForTokenClassification",
    "MPNetForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61), padding=1)


def calls(name):
    """Padded text for every head; for the backbone each of its optional inputs and outputs, too."""
    if name == "MPNetForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61), padding=1))]
    if name != "MPNetModel":
        return [Call(TEXT)]
    ids = {"input_ids": TEXT["input_ids"]}
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), padding=1, side="left")),
        Call(ids | {"position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "long",  # some distances share a bucket, and from 128 on all do
        CONFIG | {"max_position_embeddings": 150, "relative_attention_num_buckets": 40, "hidden_act": "gelu_new"},
        ["MPNetModel", "MPNetForMaskedLM", "MPNetForSequenceClassification"],
        lambda name: [Call(text(1, 140, vocabulary=61) if name == "MPNetModel" else TEXT)],
    ),
    Case(
        "untied",
        CONFIG | {"tie_word_embeddings": False, "layer_norm_eps": 1e-3, "pad_token_id": 5, "num_labels": 5},
        ["MPNetForMaskedLM", "MPNetForSequenceClassification", "MPNetForTokenClassification"],
        calls,
    ),
]

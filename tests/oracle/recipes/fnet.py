"""FNet: every head; lengths that are even, odd and prime; untied and with more labels."""

from recipe import Call, Case, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
}
HEADS = [
    "FNetModel",
    "FNetForPreTraining",
    "FNetForMaskedLM",
    "FNetForNextSentencePrediction",
    "FNetForSequenceClassification",
    "FNetForMultipleChoice",
    "FNetForTokenClassification",
    "FNetForQuestionAnswering",
]
TEXT = text(2, 7, vocabulary=61, types=4)


def calls(name):
    """Text for every head; for the backbone each of its optional inputs and outputs, too."""
    if name == "FNetForMultipleChoice":
        return [Call(text(2, 3, 6, vocabulary=61, types=4))]
    if name != "FNetModel":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True}),
        Call(text(2, 8, vocabulary=61)),
        Call(text(1, 1, vocabulary=61)),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 9, 32))}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "untied",
        CONFIG
        | {"hidden_size": 30, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-3}
        | {"tie_word_embeddings": False, "num_labels": 5},
        ["FNetForMaskedLM", "FNetForSequenceClassification", "FNetForTokenClassification"],
        lambda name: [Call(text(2, 7, vocabulary=61, types=2))],
    ),
]

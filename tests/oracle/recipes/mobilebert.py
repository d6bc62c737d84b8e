"""MobileBERT: every head, some only with other options; attention inside the bottleneck, without bottlenecks, without
trigrams, layer norms."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "embedding_size": 12,
    "intra_bottleneck_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "num_feedforward_networks": 2,
}
HEADS = [
    "MobileBertModel",
    "MobileBertForPreTraining",
    "MobileBertForSequenceClassification",
    "MobileBertForMultipleChoice",
    "MobileBertForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61, types=2))


def calls(name):
    if name == "MobileBertForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61, types=2)))]
    if name != "MobileBertModel":
        return [Call(TEXT)]
    ids = {"input_ids": TEXT["input_ids"]}
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call(ids | {"position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 12))}),
    ]


def few_calls(name):
    return calls(name)[:1]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "bottleneck_attention",
        CONFIG
        | {"use_bottleneck_attention": True, "normalization_type": "layer_norm"}
        | {"num_feedforward_networks": 3, "num_labels": 3},
        ["MobileBertModel", "MobileBertForMaskedLM", "MobileBertForTokenClassification"],
        few_calls,
    ),
    Case(
        "one_bottleneck",  # queries and keys without one need equal widths
        CONFIG | {"key_query_shared_bottleneck": False, "intra_bottleneck_size": 32, "num_feedforward_networks": 1},
        ["MobileBertModel", "MobileBertForSequenceClassification"],
        few_calls,
    ),
    Case(
        "no_bottleneck",
        CONFIG
        | {"use_bottleneck": False, "trigram_input": False, "classifier_activation": False, "hidden_act": "gelu"}
        | {"normalization_type": "layer_norm", "layer_norm_eps": 1e-3},
        ["MobileBertModel", "MobileBertForNextSentencePrediction"],
        few_calls,
    ),
    Case(
        "untied",
        CONFIG | {"tie_word_embeddings": False},
        ["MobileBertForMaskedLM"],
        few_calls,
    ),
    Case(
        "equal_widths",  # the projection of the embeddings is there and unused
        CONFIG | {"trigram_input": False, "embedding_size": 32},
        ["MobileBertForSequenceClassification"],
        few_calls,
    ),
]

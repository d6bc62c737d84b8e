"""ALBERT: every head with shared and with grouped blocks, each kind of position, untied and with more labels."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "embedding_size": 16,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 3,
}
HEADS = [
    "AlbertModel",
    "AlbertForPreTraining",
    "AlbertForMaskedLM",
    "AlbertForSequenceClassification",
    "AlbertForMultipleChoice",
    "AlbertForTokenClassification",
    "AlbertForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61, types=3))


def calls(name):
    """Padded text for every head; for the backbone each of its optional inputs and outputs, too."""
    if name == "AlbertForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61, types=3)))]
    if name != "AlbertModel":
        return [Call(TEXT)]
    ids = {"input_ids": TEXT["input_ids"]}
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(ids),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call(ids | {"position_ids": text(2, 7, vocabulary=24)["input_ids"], "attention_mask": TEXT["attention_mask"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 16))}),
    ]


def few_calls(name):
    return [Call(TEXT, {"output_hidden_states": True, "output_attentions": True} if name == "AlbertModel" else {})]


CASES = [
    Case("shared", CONFIG, HEADS, calls),
    Case(
        "groups",
        CONFIG | {"num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2, "hidden_act": "gelu"},
        ["AlbertModel", "AlbertForMaskedLM"],
        calls,
    ),
    Case(
        "uneven_groups",  # of 2, 2 and 1 layers
        CONFIG | {"num_hidden_layers": 5, "num_hidden_groups": 3, "output_hidden_states": True},
        ["AlbertModel"],
        lambda name: [Call(TEXT)],
    ),
    Case("relative_key", CONFIG | {"position_embedding_type": "relative_key"}, ["AlbertModel"], few_calls),
    Case(
        "relative_key_query",
        CONFIG | {"position_embedding_type": "relative_key_query", "num_hidden_groups": 2},
        ["AlbertModel", "AlbertForPreTraining"],
        few_calls,
    ),
    Case(
        "untied",
        CONFIG | {"tie_word_embeddings": False, "hidden_act": "relu", "layer_norm_eps": 1e-3, "num_labels": 5},
        [
            "AlbertForMaskedLM",
            "AlbertForPreTraining",
            "AlbertForSequenceClassification",
            "AlbertForTokenClassification",
        ],
        calls,
    ),
]

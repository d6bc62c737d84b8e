"""DeBERTa: every head, each kind of disentangled attention, talking heads, both language heads."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 16,
}
RELATIVE = CONFIG | {"relative_attention": True, "position_biased_input": False}
BASE = RELATIVE | {"pos_att_type": "c2p|p2c"}
HEADS = [
    "DebertaModel",
    "DebertaForMaskedLM",
    "DebertaForSequenceClassification",
    "DebertaForTokenClassification",
    "DebertaForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))


def calls(name):
    """Padded text for every head; for the backbone text beyond the last distance and its optional outputs, too."""
    if name != "DebertaModel":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call(text(1, 20, vocabulary=61)),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
    ]


def few_calls(name):
    return [Call(TEXT, {"output_attentions": True} if name == "DebertaModel" else {})]


def typed_calls(name):
    inputs = padded(text(2, 7, vocabulary=61, types=3))
    return [Call(inputs), Call(inputs | {"position_ids": text(2, 7, vocabulary=16)["input_ids"]})]


CASES = [
    Case("base", BASE, HEADS, calls),
    Case("c2p", RELATIVE | {"pos_att_type": ["c2p"], "max_relative_positions": 4}, ["DebertaModel"], few_calls),
    Case(
        "p2c",
        RELATIVE | {"pos_att_type": ["p2c"], "cls_dropout": 0.2, "pooler_hidden_act": "tanh", "num_labels": 3},
        ["DebertaModel", "DebertaForSequenceClassification"],
        few_calls,
    ),
    Case("talking_heads", BASE | {"talking_head": True}, ["DebertaModel"], few_calls),
    Case(
        "no_distances",
        CONFIG | {"embedding_size": 16, "type_vocab_size": 3, "tie_word_embeddings": False},
        ["DebertaModel", "DebertaForMaskedLM"],
        typed_calls,
    ),
    # The head that fills in masks as pretrained. Transformers has it from 4.48 on, without zeroing what padding sees.
    Case(
        "language_head",
        BASE | {"legacy": False},
        ["DebertaForMaskedLM"],
        lambda name: [Call(TEXT, real_tokens_only=True)],
        reference="5",
    ),
]

"""ESM: ESM-2 (rotary, token dropout), ESM-1b (absolute positions, a norm on the embeddings) and relative positions;
every head, masked tokens, contacts."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 33,
    "pad_token_id": 1,
    "mask_token_id": 32,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
    "layer_norm_eps": 1e-5,
}
HEADS = ["EsmModel", "EsmForMaskedLM", "EsmForSequenceClassification", "EsmForTokenClassification"]


def protein(side="right"):
    """Three texts of nine tokens, with padding, an end in two places and one, two and no masked tokens."""
    inputs = padded(text(3, 9, vocabulary=32), side, padding=1)
    ids = inputs["input_ids"]
    ids[[0, 0, 1, 2, 2], [3, 5, 4, 8, 3]] = [32, 32, 32, 2, 2]
    return inputs


TEXT = protein()


def calls(name):
    whole = {"input_ids": TEXT["input_ids"], "attention_mask": np.ones_like(TEXT["attention_mask"])}
    if name == "EsmForMaskedLM":
        return [Call(TEXT), Call(TEXT, method="predict_contacts")]
    if name != "EsmModel":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(protein("left")),
        Call({"input_ids": TEXT["input_ids"]}),
        Call(TEXT | {"position_ids": text(3, 9, vocabulary=24)["input_ids"]}),
        Call(whole, method="predict_contacts"),
    ]


def embedded_calls(name):
    """As above, and embeddings in the place of ids, which the reference refuses with token dropout."""
    return calls(name) + [Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 16))})] * (name == "EsmModel")


CASES = [
    Case("rotary", CONFIG | {"position_embedding_type": "rotary", "token_dropout": True}, HEADS, calls),
    Case("absolute", CONFIG | {"emb_layer_norm_before": True, "token_dropout": True, "num_labels": 3}, HEADS, calls),
    Case("relative_key", CONFIG | {"position_embedding_type": "relative_key"}, HEADS[:2], embedded_calls),
    Case("relative_key_query", CONFIG | {"position_embedding_type": "relative_key_query"}, HEADS[:1], embedded_calls),
    Case(
        "untied",
        CONFIG | {"tie_word_embeddings": False, "position_embedding_type": "rotary"},
        ["EsmForMaskedLM"],
        calls,
    ),
]

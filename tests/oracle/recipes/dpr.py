"""DPR: both encoders with and without a projection, with padding marked or not; the reader."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 3,
}
STATES = {"output_hidden_states": True, "output_attentions": True}
TEXT = padded(text(2, 6, vocabulary=61, types=3))
VECTORS = {"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}


def calls(name):
    """What is padding is told by the mask; without one the encoders, not the reader, look at the ids."""
    if name == "DPRReader":
        passages = padded(text(3, 5, vocabulary=61))
        return [Call(passages, STATES), Call({"input_ids": passages["input_ids"]}), Call(VECTORS)]
    return [
        Call(TEXT, STATES),
        Call({"input_ids": TEXT["input_ids"]}),
        Call(padded(text(2, 6, vocabulary=61, types=3), side="left")),
        Call(VECTORS),
    ]


ENCODERS = ["DPRQuestionEncoder", "DPRContextEncoder"]
CASES = [
    Case("base", CONFIG, [*ENCODERS, "DPRReader"], calls),
    Case(
        "projected",
        CONFIG | {"projection_dim": 20, "hidden_act": "relu", "position_embedding_type": "relative_key"},
        ENCODERS,
        calls,
    ),
]

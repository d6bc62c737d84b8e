"""BLOOM: both places of the residual, head counts between powers of 2; padding on either side; greedy search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "n_layer": 2,
    "n_head": 4,
    "pad_token_id": 0,
    "bos_token_id": 59,
    "eos_token_id": 60,
}
HEADS = [
    "BloomModel",
    "BloomForCausalLM",
    "BloomForSequenceClassification",
    "BloomForTokenClassification",
    "BloomForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))
LEFT = padded(text(2, 7, vocabulary=61), side="left")
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)
HOLES = np.array([[1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1, 1]])


def calls(name):
    if name == "BloomForCausalLM":
        return [Call(TEXT), Call(LEFT, real_tokens_only=True), GREEDY]
    left = Call(LEFT, real_tokens_only=name != "BloomForSequenceClassification")
    if name != "BloomModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call(TEXT | {"attention_mask": HOLES}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "normed_residual",
        CONFIG | {"apply_residual_connection_post_layernorm": True, "num_labels": 3, "tie_word_embeddings": False},
        HEADS[1:3],
        calls,
    ),
    # 6 heads: two of their slopes stand between those of 4.
    Case("six_heads", CONFIG | {"hidden_size": 24, "n_head": 6}, HEADS[1:2], calls),
]

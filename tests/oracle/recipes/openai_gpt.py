"""OpenAI GPT: every head; other activations; token types; padding on either side; greedy search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {"vocab_size": 61, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 24, "pad_token_id": 0}
HEADS = ["OpenAIGPTModel", "OpenAIGPTLMHeadModel", "OpenAIGPTForSequenceClassification"]
TEXT = padded(text(2, 7, vocabulary=61))


def calls(name):
    if name == "OpenAIGPTDoubleHeadsModel":
        choices = text(2, 3, 6, vocabulary=61, types=2)  # the reference cannot take a mask of this shape
        return [Call(choices | {"mc_token_ids": np.array([[5, 2, 4], [3, 3, 1]])}), Call(choices)]
    if name == "OpenAIGPTLMHeadModel":
        return [Call(TEXT), Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)]
    if name != "OpenAIGPTModel":
        return [Call(TEXT)]
    return [
        Call(padded(text(2, 7, vocabulary=61, types=3)), {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=True),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("double", CONFIG, ["OpenAIGPTDoubleHeadsModel"], calls),
    Case(
        "untied",
        CONFIG | {"afn": "silu", "layer_norm_epsilon": 1e-3, "tie_word_embeddings": False, "num_labels": 3},
        HEADS,
        lambda name: calls(name)[:2],
    ),
    Case("relu", CONFIG | {"afn": "relu", "summary_activation": "tanh"}, ["OpenAIGPTDoubleHeadsModel"], calls),
]

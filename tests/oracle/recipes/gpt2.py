"""GPT-2: every head; scaling by layer; as the decoder of an encoder; token types; padding on either side."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 24,
    "pad_token_id": 0,
    "bos_token_id": 60,
    "eos_token_id": 60,
}
HEADS = [
    "GPT2Model",
    "GPT2LMHeadModel",
    "GPT2ForSequenceClassification",
    "GPT2ForTokenClassification",
    "GPT2ForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "GPT2DoubleHeadsModel":
        choices = padded(text(2, 3, 6, vocabulary=61, types=2))
        return [Call(choices | {"mc_token_ids": np.array([[5, 2, 4], [3, 3, 1]])}), Call(choices)]
    if name == "GPT2LMHeadModel":
        return [Call(TEXT), GREEDY]
    if name != "GPT2Model":
        return [Call(TEXT)]
    return [
        Call(padded(text(2, 7, vocabulary=61, types=3)), {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=True),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


def decoder_calls(name):
    encoder = {
        "encoder_hidden_states": weights("encoder_hidden_states", (2, 5, 32)),
        "encoder_attention_mask": padded(text(2, 5, vocabulary=61))["attention_mask"],
    }
    return [Call(TEXT | encoder, {"output_attentions": True}), Call(TEXT), GREEDY]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("double", CONFIG, ["GPT2DoubleHeadsModel"], calls),
    Case(
        "scaled",
        CONFIG
        | {"scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True, "n_inner": 48}
        | {"activation_function": "relu", "tie_word_embeddings": False, "num_labels": 3},
        ["GPT2LMHeadModel", "GPT2ForSequenceClassification"],
        calls,
    ),
    Case("decoder", CONFIG | {"add_cross_attention": True, "scale_attn_weights": False}, HEADS[1:2], decoder_calls),
]

"""Falcon: the blocks of the 7B, the 40B, the RW models and the 11B; rotations and their scalings, biases by distance;
padding on either side; greedy search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
    "bos_token_id": 60,
    "eos_token_id": 60,
}
HEADS = [
    "FalconModel",
    "FalconForCausalLM",
    "FalconForSequenceClassification",
    "FalconForTokenClassification",
    "FalconForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))
LEFT = padded(text(2, 7, vocabulary=61), side="left")
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)
HOLES = np.array([[1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1, 1]])
STATES = Call(TEXT, {"output_hidden_states": True, "output_attentions": True})


def calls(name):
    if name == "FalconForCausalLM":
        return [Call(TEXT), Call(LEFT, real_tokens_only=True), GREEDY]
    left = Call(LEFT, real_tokens_only=name != "FalconForSequenceClassification")
    if name != "FalconModel":
        return [Call(TEXT), left]
    return [
        STATES,
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=7)["input_ids"]}),
    ]


def alibi_calls(name):
    """Always with a mask: without one the reference lets tokens look ahead."""
    if name != "FalconModel":
        return calls(name)
    return [STATES, Call(LEFT, real_tokens_only=True), Call(TEXT | {"attention_mask": HOLES})]


def very_long_calls(name):
    """bfloat16 counts this far only in steps of 2."""
    return [Call(padded(text(2, 300, vocabulary=61)))]


def long_calls(name):
    """Longer than what the model was trained with."""
    return [Call(text(2, 30, vocabulary=61))]


RW = {"alibi": True, "multi_query": False, "parallel_attn": False, "bias": True}
NEW = {"new_decoder_architecture": True, "num_attention_heads": 8, "num_kv_heads": 2}

CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("new", CONFIG | NEW | {"bias": True, "num_labels": 3, "tie_word_embeddings": False}, HEADS[:3], calls),
    Case("rw", CONFIG | RW, HEADS[:2], alibi_calls),
    Case("many_keys", CONFIG | {"multi_query": False, "rope_theta": 500.0}, HEADS[1:2], calls),
    Case("rw_long", CONFIG | RW | {"num_attention_heads": 2}, HEADS[2:3], very_long_calls),
    Case(
        "one_norm",
        CONFIG | NEW | {"num_ln_in_parallel_attn": 1, "ffn_hidden_size": 48, "activation": "relu"},
        HEADS[1:2],
        calls,
        reference="5.23",
    ),
    Case("linear", CONFIG | {"rope_scaling": {"type": "linear", "factor": 2.0}}, HEADS[1:2], long_calls),
    Case("dynamic", CONFIG | {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, HEADS[:1], long_calls),
]

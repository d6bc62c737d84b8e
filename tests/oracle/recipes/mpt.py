"""MPT: every head; a softmax scale of its own; head counts between powers of 2; clipping, which the older reference
ignores; padding on either side; greedy search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "d_model": 32,
    "n_layers": 2,
    "n_heads": 4,
    "max_seq_len": 24,
    "pad_token_id": 0,
    "bos_token_id": 60,
    "eos_token_id": 60,
}
HEADS = [
    "MptModel",
    "MptForCausalLM",
    "MptForSequenceClassification",
    "MptForTokenClassification",
    "MptForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))
LEFT = padded(text(2, 7, vocabulary=61), side="left")
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)
HOLES = np.array([[1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1, 1]])


def calls(name):
    if name == "MptForCausalLM":
        return [Call(TEXT), Call(LEFT, real_tokens_only=True), GREEDY]
    left = Call(LEFT, real_tokens_only=name != "MptForSequenceClassification")
    if name != "MptModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call(TEXT | {"attention_mask": HOLES}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    # 6 heads: two of their slopes stand between those of 4.
    Case(
        "six_heads",
        CONFIG
        | {"d_model": 24, "n_heads": 6, "attn_config": {"softmax_scale": 0.7}}
        | {"tie_word_embeddings": False, "num_labels": 3},
        HEADS[1:3],
        calls,
    ),
    Case("clipped", CONFIG | {"attn_config": {"clip_qkv": 0.3}}, HEADS[1:2], calls, reference="5.23"),
]

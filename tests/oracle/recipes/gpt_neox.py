"""GPT-NeoX: every head; one after the other instead of side by side; scaled rotations; padding on either side."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
    "eos_token_id": 60,
}
HEADS = [
    "GPTNeoXModel",
    "GPTNeoXForCausalLM",
    "GPTNeoXForSequenceClassification",
    "GPTNeoXForTokenClassification",
    "GPTNeoXForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "GPTNeoXForCausalLM":
        return [Call(TEXT), GREEDY]
    pooled = name == "GPTNeoXForSequenceClassification"
    left = Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=not pooled)
    if name != "GPTNeoXModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=7)["input_ids"]}),
    ]


def long_calls(name):
    """Longer than what the model was trained with."""
    return [Call(text(2, 30, vocabulary=61))]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "sequential",
        CONFIG
        | {"use_parallel_residual": False, "rotary_pct": 1.0, "rotary_emb_base": 500, "hidden_act": "gelu_new"}
        | {"attention_bias": False, "tie_word_embeddings": True, "num_labels": 3},
        HEADS[:4],
        calls,
    ),
    Case(
        "linear",
        CONFIG | {"rotary_pct": 0.5, "rope_scaling": {"type": "linear", "factor": 2.0}},
        HEADS[1:2],
        long_calls,
    ),
    Case(
        "dynamic",
        CONFIG | {"rotary_pct": 0.5, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
        HEADS[:1],
        long_calls,
    ),
]

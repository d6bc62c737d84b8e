"""GPTBigCode: every head; one key for all queries and one for each; token types; padding on either side."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 24,
    "pad_token_id": 0,
    "bos_token_id": 58,
    "eos_token_id": 60,
}
HEADS = [
    "GPTBigCodeModel",
    "GPTBigCodeForCausalLM",
    "GPTBigCodeForSequenceClassification",
    "GPTBigCodeForTokenClassification",
]
TEXT = padded(text(2, 7, vocabulary=61))
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "GPTBigCodeForCausalLM":
        return [Call(TEXT), GREEDY]
    pooled = name == "GPTBigCodeForSequenceClassification"
    left = Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=not pooled)
    if name != "GPTBigCodeModel":
        return [Call(TEXT), left]
    return [
        Call(padded(text(2, 7, vocabulary=61, types=3)), {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "multi_head",
        CONFIG
        | {"multi_query": False, "scale_attn_weights": False, "n_inner": 48, "activation_function": "relu"}
        | {"tie_word_embeddings": False, "num_labels": 3},
        HEADS,
        calls,
    ),
]

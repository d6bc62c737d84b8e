"""Gemma: heads wider than their share, tied words or not, activations, padding on either side; greedy search."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 12,
    "hidden_act": "gelu",  # as the first checkpoints have it; it does not count
    "max_position_embeddings": 24,
}
HEADS = ["GemmaModel", "GemmaForCausalLM", "GemmaForSequenceClassification"]
TEXT = padded(text(2, 7, vocabulary=61))
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "GemmaForCausalLM":
        return [Call(TEXT), GREEDY]
    left = Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=name == "GemmaModel")
    if name != "GemmaModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


OTHER = {"hidden_activation": "gelu", "num_key_value_heads": 2, "attention_bias": True, "rope_theta": 500.0}
CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("everything", CONFIG | OTHER | {"tie_word_embeddings": False, "num_labels": 3}, HEADS[1:], calls),
]

"""Mistral: shared keys, windows shorter than the text, padding on either side; greedy search.

Windows are recorded by version 5: version 4 ignores them in its usual attention, and sees one token more in the other.
"""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
    "eos_token_id": 60,
}
HEADS = ["MistralModel", "MistralForCausalLM", "MistralForSequenceClassification"]
TEXT = padded(text(2, 7, vocabulary=61))
LEFT = padded(text(2, 7, vocabulary=61), side="left")
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "MistralForCausalLM":
        return [Call(TEXT), GREEDY]
    left = Call(LEFT, real_tokens_only=name == "MistralModel")
    if name != "MistralModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=7)["input_ids"]}),
    ]


def windowed(name):
    if name == "MistralForCausalLM":
        return [Call(TEXT), GREEDY]
    return [Call(TEXT), Call(LEFT, real_tokens_only=name == "MistralModel")]


WIDE = {"sliding_window": None, "tie_word_embeddings": True, "rope_theta": 1e6, "num_labels": 3}
CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("everything", CONFIG | WIDE, HEADS[1:], calls),
    Case("window", CONFIG | {"sliding_window": 3, "head_dim": 12}, HEADS, windowed, reference="5.23"),
]

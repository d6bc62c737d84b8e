"""Llama: shared keys, tied words, biases, scaled rotations; padding on either side; greedy search."""

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
HEADS = ["LlamaModel", "LlamaForCausalLM", "LlamaForSequenceClassification", "LlamaForQuestionAnswering"]
TEXT = padded(text(2, 7, vocabulary=61))
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 100.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 100.0,
    "factor": 4.0,
    "beta_fast": 4.0,
    "beta_slow": 0.5,
    "original_max_position_embeddings": 24,
}


def calls(name):
    if name == "LlamaForCausalLM":
        return [Call(TEXT), GREEDY]
    left = Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=not name.endswith("Classification"))
    if name != "LlamaModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


def long_calls(name):
    """Longer than what the model was trained with."""
    return [Call(text(2, 30, vocabulary=61))]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "grouped", CONFIG | {"num_key_value_heads": 2, "tie_word_embeddings": True, "num_labels": 3}, HEADS[:3], calls
    ),
    Case("biased", CONFIG | {"num_key_value_heads": 1, "attention_bias": True, "rope_theta": 500.0}, HEADS[1:2], calls),
    Case("linear", CONFIG | {"rope_scaling": {"type": "linear", "factor": 2.0}}, HEADS[1:2], long_calls),
    Case("llama3", CONFIG | {"rope_parameters": LLAMA3}, HEADS[1:2], long_calls, reference="5.23"),
    Case("yarn", CONFIG | {"rope_parameters": YARN}, HEADS[1:2], long_calls, reference="5.23"),
    Case("dynamic", CONFIG | {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, HEADS[:1], long_calls),
]

"""Qwen2: shared keys, tied words, windows in some blocks, padding on either side; greedy search.

Windows are recorded by version 5: version 4 knows them in its least used attention only, and there in every block.
"""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
}
HEADS = ["Qwen2Model", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification"]
TEXT = padded(text(2, 7, vocabulary=61))
LEFT = padded(text(2, 7, vocabulary=61), side="left")
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "Qwen2ForCausalLM":
        return [Call(TEXT), GREEDY]
    left = Call(LEFT, real_tokens_only=name == "Qwen2Model")
    if name != "Qwen2Model":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=7)["input_ids"]}),
    ]


def windowed(name):
    if name == "Qwen2ForCausalLM":
        return [Call(TEXT, real_tokens_only=True), GREEDY]  # where all of a window is padding nothing is meaningful
    return [Call(TEXT, {"output_hidden_states": True}), Call(LEFT, real_tokens_only=True)]


TIED = {"num_key_value_heads": 1, "tie_word_embeddings": True, "rope_theta": 1e6, "num_labels": 3}
# With windows that are not to be used.
UNUSED = {"sliding_window": 2, "max_window_layers": 0}
WINDOW = {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1, "num_key_value_heads": 2}
CHOSEN = {"use_sliding_window": True, "sliding_window": 2, "layer_types": ["sliding_attention", "full_attention"]}
CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("tied", CONFIG | TIED, HEADS[1:], calls),
    Case("unused_window", CONFIG | UNUSED, HEADS[1:2], windowed, reference="5.23"),
    Case("window", CONFIG | WINDOW, HEADS[:2], windowed, reference="5.23"),
    Case("layer_types", CONFIG | CHOSEN, HEADS[1:2], windowed, reference="5.23"),
]

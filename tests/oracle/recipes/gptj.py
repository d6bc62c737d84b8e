"""GPT-J: every head; heads rotated in part and as a whole; tied words; token types; padding on either side."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 24,
    "rotary_dim": 4,
    "pad_token_id": 0,
    "bos_token_id": 59,
    "eos_token_id": 60,
}
HEADS = ["GPTJModel", "GPTJForCausalLM", "GPTJForSequenceClassification", "GPTJForQuestionAnswering"]
TEXT = padded(text(2, 7, vocabulary=61))
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "GPTJForCausalLM":
        return [Call(TEXT), GREEDY]
    pooled = name == "GPTJForSequenceClassification"
    left = Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=not pooled)
    if name != "GPTJModel":
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
        "tied",
        CONFIG
        | {"rotary_dim": 8, "n_inner": 48, "activation_function": "relu"}
        | {"tie_word_embeddings": True, "num_labels": 3},
        HEADS[:3],
        calls,
    ),
    # Where rotary_dim is null, the whole head turns; the reference can do that with a single one.
    Case("whole", CONFIG | {"n_embd": 16, "n_head": 1, "rotary_dim": None}, HEADS[1:2], calls),
]

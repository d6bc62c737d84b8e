"""OPT: most of them, the 350m, Galactica, and checkpoints of before Transformers 4.20; padding on either side; greedy
search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "ffn_dim": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
    "bos_token_id": 60,
    "eos_token_id": 60,
}
HEADS = ["OPTModel", "OPTForCausalLM", "OPTForSequenceClassification", "OPTForQuestionAnswering"]
TEXT = padded(text(2, 7, vocabulary=61))
LEFT = padded(text(2, 7, vocabulary=61), side="left")
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)
HOLES = np.array([[1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1, 1]])


def calls(name):
    if name == "OPTForCausalLM":
        return [Call(TEXT), Call(LEFT, real_tokens_only=True), GREEDY]
    left = Call(LEFT, real_tokens_only=not name.endswith("Classification"))
    if name != "OPTModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        left,
        Call(TEXT | {"attention_mask": HOLES}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
    ]


def small_words(name):
    embeds = Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 16))})
    return [*calls(name)[:-1], embeds] if name == "OPTModel" else calls(name)


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "post_norm",
        CONFIG | {"do_layer_norm_before": False, "word_embed_proj_dim": 16, "num_labels": 3},
        HEADS,
        small_words,
    ),
    Case(
        "galactica",
        CONFIG
        | {
            "enable_bias": False,
            "layer_norm_elementwise_affine": False,
            "activation_function": "gelu",
            "num_labels": 1,
        },
        HEADS[1:3],
        calls,
    ),
    Case("old", CONFIG | {"_remove_final_layer_norm": True, "tie_word_embeddings": False}, HEADS[1:2], calls),
]

"""RWKV: rescaled blocks and none; tied words; attention of another width; the state; greedy search."""

from recipe import Call, Case, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 24,
    "num_hidden_layers": 5,
    "rescale_every": 2,
    "context_length": 24,
    "bos_token_id": 60,
    "eos_token_id": 60,
}
CLASSES = ["RwkvModel", "RwkvForCausalLM"]
TEXT = text(2, 7, vocabulary=61)
STATES = {"use_cache": True, "output_hidden_states": True, "output_attentions": True}
STATELESS = {"use_cache": False}


def calls(name):
    if name == "RwkvForCausalLM":
        # One text at a time: of several, the reference mixes the tokens of one with those of the others.
        greedy = [Call(text(1, length, vocabulary=61), greedy=6) for length in (1, 5)]
        return [Call(TEXT, {"use_cache": True}), Call(TEXT, STATELESS), *greedy]
    return [Call(TEXT, STATES), Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 24))}, STATELESS)]


CASES = [
    Case("base", CONFIG, CLASSES, calls),
    Case(
        "unscaled",
        CONFIG | {"num_hidden_layers": 2, "rescale_every": 0, "tie_word_embeddings": True, "intermediate_size": 48},
        CLASSES,
        calls,
    ),
    Case(  # the reference's state has no room for it
        "wide_attention",
        CONFIG | {"num_hidden_layers": 2, "attention_hidden_size": 40, "layer_norm_epsilon": 1e-3, "use_cache": False},
        CLASSES,
        lambda name: [Call(TEXT, STATELESS)],
    ),
]

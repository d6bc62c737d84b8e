"""Mixtral: two of four experts, three of five; the routers' scores and loss; padding on either side; greedy search."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "max_position_embeddings": 24,
    "pad_token_id": 0,
    "eos_token_id": 60,
}
HEADS = ["MixtralModel", "MixtralForCausalLM", "MixtralForSequenceClassification"]
WHOLE = text(2, 7, vocabulary=61)
TEXT = padded(WHOLE)
GREEDY = Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)


def calls(name):
    if name == "MixtralForCausalLM":
        return [Call(TEXT), GREEDY, Call(WHOLE, {"output_router_logits": True})]
    left = Call(padded(WHOLE, side="left"), real_tokens_only=name == "MixtralModel")
    if name != "MixtralModel":
        return [Call(TEXT), left]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True, "output_router_logits": True}),
        left,
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=7)["input_ids"]}),
    ]


def routed(name):
    """The configuration asks for the routers' scores."""
    if name != "MixtralForCausalLM":
        return [Call(TEXT)]
    return [Call(TEXT), Call(TEXT, labels={"labels": TEXT["input_ids"]})]


ROUTED = {
    "num_local_experts": 5,
    "num_experts_per_tok": 3,
    "output_router_logits": True,
    "router_aux_loss_coef": 0.1,
    "tie_word_embeddings": True,
}
CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case("routed", CONFIG | ROUTED | {"num_labels": 3}, HEADS, routed),
]

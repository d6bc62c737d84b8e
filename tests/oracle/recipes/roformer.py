"""RoFormer: every head; narrower embeddings and rotated values; as a decoder with cross attention."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 2,
}
HEADS = [
    "RoFormerModel",
    "RoFormerForMaskedLM",
    "RoFormerForSequenceClassification",
    "RoFormerForMultipleChoice",
    "RoFormerForTokenClassification",
    "RoFormerForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61, types=2))


def calls(name, embedding_size=32):
    if name == "RoFormerForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61, types=2)))]
    if name != "RoFormerModel":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call({"input_ids": TEXT["input_ids"]}),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, embedding_size))}),
    ]


def decoder_calls(name):
    """A causal decoder that looks at an encoder, alone and step by step with a cache."""
    encoder = {
        "encoder_hidden_states": weights("encoder_hidden_states", (2, 5, 32)),
        "encoder_attention_mask": padded(text(2, 5, vocabulary=61))["attention_mask"],
    }
    every = [
        Call(TEXT | encoder, {"output_attentions": True}),
        Call(TEXT),
        Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=True),
    ]
    if name == "RoFormerForCausalLM":
        every.append(Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6))
    return every


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "rotary_value",
        CONFIG | {"rotary_value": True, "embedding_size": 16, "hidden_act": "relu", "num_labels": 3},
        HEADS[:-1],  # the last would set num_labels to 2
        lambda name: calls(name, embedding_size=16),
    ),
    Case(
        "decoder",
        CONFIG | {"is_decoder": True, "add_cross_attention": True, "rotary_value": True, "eos_token_id": 60},
        ["RoFormerModel", "RoFormerForCausalLM"],
        decoder_calls,
    ),
    Case(
        "untied",
        CONFIG | {"tie_word_embeddings": False, "layer_norm_eps": 1e-3, "embedding_size": 16},
        ["RoFormerForMaskedLM"],
        calls,
    ),
]

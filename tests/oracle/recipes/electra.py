"""ELECTRA: every head with narrow and full embeddings; what of the loss is padding; each summary; with an encoder."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "embedding_size": 16,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 3,
}
HEADS = [
    "ElectraModel",
    "ElectraForMaskedLM",
    "ElectraForPreTraining",
    "ElectraForSequenceClassification",
    "ElectraForMultipleChoice",
    "ElectraForTokenClassification",
    "ElectraForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61, types=3))
CHOICES = padded(text(2, 3, 6, vocabulary=61, types=3))


def calls(name):
    """Padded text for every head; for the backbone each of its optional inputs and outputs, too."""
    if name == "ElectraForMultipleChoice":
        return [Call(CHOICES)]
    if name == "ElectraForPreTraining":
        replaced = {"labels": text(2, 7, vocabulary=2)["input_ids"]}
        return [Call(TEXT), Call(TEXT, labels=replaced), Call({"input_ids": TEXT["input_ids"]}, labels=replaced)]
    if name != "ElectraModel":
        return [Call(TEXT)]
    ids = {"input_ids": TEXT["input_ids"]}
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call(ids | {"position_ids": text(2, 7, vocabulary=24)["input_ids"], "attention_mask": TEXT["attention_mask"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 16))}),
    ]


def decoder_calls(name):
    """A causal decoder, with and without an encoder to look at, and step by step with a cache."""
    encoder = {
        "encoder_hidden_states": weights("encoder_hidden_states", (2, 5, 32)),
        "encoder_attention_mask": padded(text(2, 5, vocabulary=61))["attention_mask"],
    }
    return [
        Call(TEXT | encoder, {"output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left"), real_tokens_only=True),
        Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6),
    ]


def summary(name, **fields):
    return Case(f"summary_{name}", CONFIG | {"num_hidden_layers": 1, **fields}, ["ElectraForMultipleChoice"], calls)


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "full_embeddings",
        CONFIG
        | {
            "embedding_size": 32,
            "hidden_act": "gelu_new",
            "position_embedding_type": "relative_key_query",
            "tie_word_embeddings": False,
            "num_labels": 5,
        },
        ["ElectraForMaskedLM", "ElectraForPreTraining", "ElectraForSequenceClassification"],
        calls,
    ),
    Case(
        "decoder",
        CONFIG | {"is_decoder": True, "add_cross_attention": True, "eos_token_id": 60},
        ["ElectraForCausalLM"],
        decoder_calls,
    ),
    summary("last", summary_type="last", summary_activation="tanh"),
    summary("mean", summary_type="mean", summary_activation=None),
    summary("index", summary_type="cls_index", summary_use_proj=False),
]

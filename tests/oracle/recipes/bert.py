"""BERT: every head with absolute and relative positions, as a decoder with cross attention, untied
and with more labels."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 3,
}
HEADS = [
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertLMHeadModel",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForMultipleChoice",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61, types=3))


def calls(name):
    """Padded text for every head; for the backbone each of its optional inputs and outputs, too."""
    if name == "BertForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61, types=3)))]
    if name != "BertModel":
        return [Call(TEXT)]
    ids = {"input_ids": TEXT["input_ids"]}
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(ids),
        Call(ids | {"position_ids": text(2, 7, vocabulary=24)["input_ids"], "attention_mask": TEXT["attention_mask"]}),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call(ids | {"attention_mask": text(2, 7, 7, vocabulary=2)["input_ids"]}),  # each token sees others
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
    if name == "BertLMHeadModel":
        every.append(Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6))
    return every


CASES = [
    Case("absolute", CONFIG, HEADS, calls),
    Case("relative_key", CONFIG | {"position_embedding_type": "relative_key"}, HEADS, calls),
    Case("relative_key_query", CONFIG | {"position_embedding_type": "relative_key_query"}, HEADS, calls),
    Case(
        "decoder",
        CONFIG | {"is_decoder": True, "add_cross_attention": True, "hidden_act": "gelu_new", "eos_token_id": 60},
        ["BertModel", "BertLMHeadModel"],
        decoder_calls,
    ),
    Case(
        "relative_decoder",
        CONFIG | {"is_decoder": True, "position_embedding_type": "relative_key_query", "eos_token_id": 60},
        ["BertLMHeadModel"],
        lambda name: [Call(TEXT), Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)],
    ),
    Case(
        "untied",
        CONFIG | {"tie_word_embeddings": False, "hidden_act": "relu", "layer_norm_eps": 1e-3, "num_labels": 5},
        ["BertForMaskedLM", "BertForSequenceClassification", "BertForTokenClassification"],
        calls,
    ),
]

"""RoBERTa: every head, padding on either side, which moves the positions; as a decoder; relative positions."""

from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 1,
}
CLASSES = [
    "RobertaModel",
    "RobertaForMaskedLM",
    "RobertaForSequenceClassification",
    "RobertaForMultipleChoice",
    "RobertaForTokenClassification",
    "RobertaForQuestionAnswering",
    "RobertaForCausalLM",
]
TEXT = padded(text(2, 7, vocabulary=61), padding=1)


def calls(name):
    if name.endswith("ForMultipleChoice"):
        return [Call(padded(text(2, 3, 6, vocabulary=61), padding=1))]
    if not name.endswith("Model"):
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True}),
        Call(padded(text(2, 7, vocabulary=61), padding=1, side="left")),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call({"input_ids": TEXT["input_ids"], "position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


def decoder_calls(name):
    encoder = {"encoder_hidden_states": weights("encoder_hidden_states", (2, 5, 32))}
    return [Call(TEXT | encoder), Call({"input_ids": text(2, 5, vocabulary=61)["input_ids"]}, greedy=6)]


def cases(classes):
    """The cases of RoBERTa, or of one that computes the same; of its classes the causal one comes last."""
    relative = {"position_embedding_type": "relative_key_query", "hidden_act": "gelu_new", "num_labels": 3}
    decoder = {"is_decoder": True, "add_cross_attention": True}
    return [
        Case("absolute", CONFIG, classes[:-1], calls),
        Case("relative_key_query", CONFIG | relative, classes[1:3], calls),
        Case("decoder", CONFIG | decoder, classes[-1:], decoder_calls),
    ]


CASES = cases(CLASSES)

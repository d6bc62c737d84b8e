"""T5: the first ones, and v1.1 with gates and a head of its own; halves of different depths, padding on the right,
distances beyond the buckets; greedy search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import integers, weights

CONFIG = {
    "vocab_size": 61,
    "d_model": 32,
    "d_kv": 6,
    "d_ff": 40,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "decoder_start_token_id": 0,
}
CLASSES = [
    "T5Model",
    "T5EncoderModel",
    "T5ForConditionalGeneration",
    "T5ForSequenceClassification",
    "T5ForTokenClassification",
    "T5ForQuestionAnswering",
]
TEXT = padded(text(2, 18, vocabulary=61))
ANSWER = {"decoder_input_ids": integers("answer", (2, 15), 3, 61)}
ENDED = TEXT | {"input_ids": np.where(np.arange(18) == 9, 1, np.where(TEXT["input_ids"] == 1, 3, TEXT["input_ids"]))}
LABELS = {"labels": np.array([[5, 9, 1, -100, -100], [8, 4, 17, 30, 1]])}


def calls(name):
    states = {"output_hidden_states": True, "output_attentions": True}
    if name.endswith("EncoderModel"):
        return [Call(TEXT), Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))})]
    if name.endswith("ForConditionalGeneration"):
        return [Call(TEXT | ANSWER), Call(TEXT | LABELS, labels=LABELS), Call(TEXT, greedy=6)]
    if name.endswith("ForSequenceClassification"):
        return [Call(ENDED)]
    if name.endswith("ForTokenClassification"):
        return [Call(TEXT)]
    if name.endswith("ForQuestionAnswering"):
        return [Call(TEXT), Call(TEXT | ANSWER)]
    short = {name: x[:, :5] for name, x in (TEXT | ANSWER).items()}
    masked = {"decoder_attention_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])}
    embeds = {
        "inputs_embeds": weights("inputs_embeds", (2, 5, 32)),
        "decoder_inputs_embeds": weights("decoder_inputs_embeds", (2, 4, 32)),
    }
    return [Call(TEXT | ANSWER), Call(short | masked, states), Call(embeds)]


def cases(names):
    """The two kinds of checkpoints, with every class of an architecture."""
    gated = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "num_labels": 3}
    return [
        Case("base", CONFIG | {"feed_forward_proj": "relu", "tie_word_embeddings": True}, names, calls),
        Case("gated", CONFIG | gated, [names[0], *names[2:5]], calls),
    ]


CASES = cases(CLASSES)

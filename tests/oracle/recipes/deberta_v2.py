"""DeBERTa-v2: every head as v3 has it, v2's convolution, each kind of disentangled attention, both language heads."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 16,
}
RELATIVE = CONFIG | {"relative_attention": True, "position_biased_input": False}
V3 = RELATIVE | {"position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": "p2c|c2p"}
HEADS = [
    "DebertaV2Model",
    "DebertaV2ForMaskedLM",
    "DebertaV2ForSequenceClassification",
    "DebertaV2ForMultipleChoice",
    "DebertaV2ForTokenClassification",
    "DebertaV2ForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61))


def calls(name):
    """Padded text for every head; for the backbone text beyond the last bucket and its optional outputs, too."""
    if name == "DebertaV2ForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61)))]
    if name != "DebertaV2Model":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(padded(text(2, 7, vocabulary=61), side="left")),
        Call(text(1, 20, vocabulary=61)),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call(text(2, 1, vocabulary=61)),
    ]


def classify(name):
    """For the classifier the loss, too, by classes of which some are unknown, and by probabilities."""
    if name != "DebertaV2ForSequenceClassification":
        return calls(name)
    labels = [np.array([-1, 2]), np.array([[0.5, 0.25, 0.25], [0, 0.1, 0.9]], "float32")]
    return [*calls(name), *(Call(TEXT, labels={"labels": values}) for values in labels)]


def few_calls(name):
    return [Call(TEXT, {"output_hidden_states": True} if name == "DebertaV2Model" else {})]


def absolute_calls(name):
    inputs = padded(text(2, 7, vocabulary=61, types=3))
    positions = {"position_ids": text(2, 7, vocabulary=16)["input_ids"]}
    embedded = {"inputs_embeds": weights("inputs_embeds", (2, 5, 16))}
    return [Call(inputs)] + ([Call(inputs | positions), Call(embedded)] if name == "DebertaV2Model" else [])


CASES = [
    Case("v3", V3, HEADS, calls),
    Case(
        "v2",
        V3 | {"conv_kernel_size": 3, "conv_act": "gelu", "cls_dropout": 0.2, "num_labels": 3},
        ["DebertaV2Model", "DebertaV2ForSequenceClassification"],
        classify,
    ),
    Case(
        "c2p",
        RELATIVE
        | {"pos_att_type": ["c2p"], "max_relative_positions": 4, "conv_kernel_size": 5, "conv_groups": 2}
        | {"pooler_hidden_act": "tanh", "hidden_act": "gelu_new", "layer_norm_eps": 1e-3},
        ["DebertaV2Model", "DebertaV2ForSequenceClassification"],
        few_calls,
    ),
    Case(
        "p2c",
        RELATIVE | {"pos_att_type": ["p2c"], "position_buckets": 4, "max_relative_positions": 6},
        ["DebertaV2Model"],
        few_calls,
    ),
    Case("unshared", V3 | {"share_att_key": False}, ["DebertaV2Model"], few_calls),
    Case("relative_alone", RELATIVE, ["DebertaV2Model"], few_calls),
    Case(
        "no_distances",
        CONFIG | {"embedding_size": 16, "type_vocab_size": 3, "pos_att_type": ["c2p"]},
        ["DebertaV2Model", "DebertaV2ForMaskedLM"],
        absolute_calls,
    ),
    Case("untied", V3 | {"tie_word_embeddings": False}, ["DebertaV2ForMaskedLM"], few_calls),
    # The head that fills in masks as pretrained. Transformers has it from 4.48 on, without zeroing what padding sees.
    Case(
        "language_head",
        V3 | {"legacy": False},
        ["DebertaV2ForMaskedLM"],
        lambda name: [Call(TEXT, real_tokens_only=True)],
        reference="5",
    ),
]

"""XLM: languages or none, learned positions or waves, causal, padding by mask, by lengths or by the padding id."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import weights

CONFIG = {
    "vocab_size": 61,
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "max_position_embeddings": 24,
    "start_n_top": 3,
    "end_n_top": 2,
}
HEADS = [
    "XLMModel",
    "XLMWithLMHeadModel",
    "XLMForSequenceClassification",
    "XLMForMultipleChoice",
    "XLMForTokenClassification",
    "XLMForQuestionAnsweringSimple",
    "XLMForQuestionAnswering",
]
TEXT = padded(text(2, 7, vocabulary=61), padding=2)
WHOLE = text(2, 7, vocabulary=61)  # padded tokens, which are zeros to the head, would tie for the best end
IDS = {"input_ids": TEXT["input_ids"]}
LANGUAGES = {"langs": text(2, 7, vocabulary=3)["input_ids"]}


def calls(name):
    if name == "XLMForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61), padding=2))]
    if name == "XLMForQuestionAnswering":
        outside = {"p_mask": np.array([[1, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 1, 1]], "float32")}
        starts, texts = {"start_positions": np.array([2, 2])}, {"cls_index": np.array([0, 3])}
        labels = {"end_positions": np.array([4, 3]), "is_impossible": np.array([0.0, 1.0], "float32")}
        return [
            Call(WHOLE),
            Call(TEXT | outside | texts),
            Call(TEXT | outside | texts | starts, labels=starts | labels),
        ]
    if name != "XLMModel":
        return [Call(TEXT)]
    return [
        Call(TEXT, {"output_hidden_states": True, "output_attentions": True}),
        Call(IDS),
        Call(IDS | {"lengths": np.array([4, 6])}),
        Call(padded(text(2, 7, vocabulary=61, types=2), side="left", padding=2)),
        Call({"inputs_embeds": weights("inputs_embeds", (2, 5, 32))}),
        Call(IDS | {"position_ids": text(2, 7, vocabulary=24)["input_ids"]}),
    ]


def multilingual_calls(name):
    if name == "XLMForMultipleChoice":
        return [Call(padded(text(2, 3, 6, vocabulary=61)) | {"langs": text(2, 3, 6, vocabulary=3)["input_ids"]})]
    if name == "XLMForQuestionAnswering":
        return [Call(WHOLE | LANGUAGES)]
    return [Call(TEXT | LANGUAGES), Call(TEXT)]


CASES = [
    Case("english", CONFIG, HEADS, calls),
    Case(
        "languages",
        CONFIG
        | {"n_langs": 3, "sinusoidal_embeddings": True, "gelu_activation": False, "num_labels": 2}
        | {
            "summary_type": "mean",
            "summary_activation": "tanh",
            "summary_proj_to_labels": False,
            "layer_norm_eps": 1e-3,
        },
        ["XLMModel", "XLMWithLMHeadModel", "XLMForTokenClassification", "XLMForQuestionAnswering"],
        multilingual_calls,
    ),
    Case("causal", CONFIG | {"causal": True, "n_langs": 2, "use_lang_emb": False}, HEADS[:2], calls),
    Case(
        "summaries",
        CONFIG | {"summary_type": "last", "summary_activation": "tanh", "num_labels": 3, "tie_word_embeddings": False},
        ["XLMForSequenceClassification", "XLMWithLMHeadModel"],
        calls,
    ),
]

"""FSMT: vocabularies of different sizes, all tokens of the decoder (`use_cache=False`) and generation (with a cache);
padding on both sides, embeddings that are given, in which zeros are padding; one vocabulary for both sides."""

import numpy as np
from recipe import Call, Case, padded, text
from recipes import bart
from seeded import weights

SIZES = {key: value for key, value in bart.SIZES.items() if key != "vocab_size"} | {
    "encoder_layers": 1,
    "decoder_layers": 2,
    "src_vocab_size": 61,
    "tgt_vocab_size": 53,
}
HEADS = ["FSMTModel", "FSMTForConditionalGeneration"]
LEFT = padded(text(2, 7, vocabulary=61), side="left", padding=1)
ANSWER = {"decoder_input_ids": padded(text(2, 5, vocabulary=53), padding=1)["input_ids"]}
LABELS = {"labels": np.where(bart.LABELS["labels"] == -100, 1, bart.LABELS["labels"])}
GIVEN = weights("inputs_embeds", (2, 5, 16))
GIVEN[1, 3:] = 0
EMBEDS = {"inputs_embeds": GIVEN, "decoder_inputs_embeds": weights("decoder_inputs_embeds", (2, 1, 16))}


def calls(name):
    if name.endswith("Model"):
        return [
            Call(bart.TEXT | ANSWER, {"output_hidden_states": True, "output_attentions": True}),
            Call(LEFT | ANSWER | {"decoder_attention_mask": np.array([[1, 1, 1, 1, 0], [0, 1, 1, 1, 1]])}),
            Call(EMBEDS),
        ]
    return [Call(bart.TEXT | ANSWER), Call(bart.TEXT | ANSWER, labels=LABELS)]


def searches(name):
    return [Call(bart.TEXT, greedy=6), Call(bart.TEXT, greedy=6, beams=3)]


def shifting(name):
    return [Call(bart.TEXT)]


CASES = [
    Case("base", SIZES | {"use_cache": False}, HEADS, calls),
    Case("cached", SIZES, HEADS[1:], searches),
    Case(
        "tied",
        SIZES | {"use_cache": False, "tie_word_embeddings": True, "tgt_vocab_size": 61},
        HEADS[:1],
        shifting,
    ),
]

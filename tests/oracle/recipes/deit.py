"""DeiT: every head, with and without a teacher, and hidden patches."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 40,
    "image_size": 16,
    "patch_size": 4,
    "encoder_stride": 4,
}
HIDDEN = {"bool_masked_pos": integers("bool_masked_pos", (2, 16), 0, 2).astype(bool)}
LABELS = {"labels": np.array([0, 1])}


def calls(name):
    picture = image(2, 16, 16)
    if name == "DeiTForMaskedImageModeling":
        return [Call(picture | HIDDEN), Call(picture | HIDDEN, learns=True)]
    if name == "DeiTForImageClassification":
        return [Call(picture), Call(picture, labels=LABELS)]
    states = name == "DeiTModel"
    return [Call(picture, {"output_hidden_states": states, "output_attentions": states})]


CASES = [
    Case(
        "base",
        CONFIG,
        [
            "DeiTModel",
            "DeiTForImageClassification",
            "DeiTForImageClassificationWithTeacher",
            "DeiTForMaskedImageModeling",
        ],
        calls,
    ),
    Case(
        "plain",
        CONFIG | {"qkv_bias": False, "hidden_act": "relu", "num_labels": 4},
        ["DeiTForImageClassificationWithTeacher"],
        lambda name: [Call(image(2, 16, 16))],
    ),
]

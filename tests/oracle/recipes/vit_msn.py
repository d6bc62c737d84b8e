"""ViT-MSN: with a head and without, and pictures of another size."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "image_size": 16,
    "patch_size": 4,
}


def calls(name):
    picture, other = image(2, 16, 16), Call(image(2, 20, 12), {"interpolate_pos_encoding": True})
    if name == "ViTMSNForImageClassification":
        return [Call(picture), other, Call(picture, labels={"labels": np.array([0, 1])})]
    return [Call(picture, {"output_hidden_states": True, "output_attentions": True}), other]


CASES = [
    Case("base", CONFIG, ["ViTMSNModel", "ViTMSNForImageClassification"], calls),
    Case(
        "plain",
        CONFIG | {"qkv_bias": False, "hidden_act": "relu", "num_labels": 3},
        ["ViTMSNForImageClassification"],
        lambda name: [Call(image(2, 16, 16))],
    ),
]

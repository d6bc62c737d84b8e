"""MobileViT: every head, patches that do not divide the map, dilation in the place of strides, odd sizes."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "hidden_sizes": [8, 12, 16],
    "neck_hidden_sizes": [4, 4, 8, 8, 12, 12, 24],
    "num_attention_heads": 2,
    "expand_ratio": 2.0,
    "aspp_out_channels": 12,
    "atrous_rates": [2, 3, 4],
}
PIXELS = integers("pixels", (2, 9, 13), 0, 4)
PIXELS[:, :2] = 255


def calls(name):
    picture = image(2, 64, 64)
    if name == "MobileViTForImageClassification":
        return [Call(picture), Call(picture, labels={"labels": np.array([0, 1])})]
    if name == "MobileViTForSemanticSegmentation":
        return [Call(picture), Call(picture, labels={"labels": PIXELS}), Call(image(1, 40, 72))]
    return [Call(image(1, 32, 32), {"output_hidden_states": True}), Call(image(1, 90, 35))]


CASES = [
    Case("base", CONFIG | {"num_labels": 4}, ["MobileViTModel", "MobileViTForImageClassification"], calls),
    Case("dense", CONFIG | {"output_stride": 16, "num_labels": 4}, ["MobileViTForSemanticSegmentation"], calls),
    Case(
        "denser",
        CONFIG
        | {"output_stride": 8, "patch_size": 3, "qkv_bias": False, "hidden_act": "relu", "num_labels": 3}
        | {"conv_kernel_size": 1, "mlp_ratio": 1.5, "layer_norm_eps": 0.01, "num_channels": 1},
        ["MobileViTForSemanticSegmentation"],
        lambda name: [Call(image(1, 40, 53, 1), {"output_hidden_states": True})],
    ),
]

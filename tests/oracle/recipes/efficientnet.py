"""EfficientNet: both heads, both paddings, both ways to pool, depths and widths that are rounded, odd sizes."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {
    "image_size": 32,
    "width_coefficient": 0.1,
    "depth_coefficient": 1.1,
    "depth_divisor": 4,
    "hidden_dim": 128,
    "kernel_sizes": [3, 5, 3],
    "in_channels": [32, 16, 24],
    "out_channels": [16, 24, 40],
    "strides": [1, 2, 2],
    "num_block_repeats": [1, 2, 1],
    "expand_ratios": [1, 6, 4],
}


def calls(name):
    picture = image(2, 32, 32)
    if name == "EfficientNetForImageClassification":
        return [Call(picture), Call(picture, labels={"labels": np.array([0, 1])}), Call(image(1, 41, 27))]
    return [Call(image(1, 24, 32), {"output_hidden_states": True}), Call(image(1, 41, 27))]


CASES = [
    Case("base", CONFIG, ["EfficientNetModel", "EfficientNetForImageClassification"], calls),
    Case(
        "max",
        CONFIG
        | {"depthwise_padding": [1, 4], "pooling_type": "max", "hidden_act": "relu", "squeeze_expansion_ratio": 0.1}
        | {"depth_coefficient": 0.5, "width_coefficient": 0.2, "hidden_dim": 256, "batch_norm_eps": 0.02},
        ["EfficientNetForImageClassification"],
        calls,
    ),
]

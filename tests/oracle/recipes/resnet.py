"""ResNet: both kinds of blocks, pictures of odd sizes, and as a backbone."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {"embedding_size": 8, "hidden_sizes": [16, 24, 32], "depths": [1, 2, 1]}


def calls(name):
    if name == "ResNetForImageClassification":
        return [Call(image(2, 32, 32)), Call(image(2, 32, 32), labels={"labels": np.array([0, 1])})]
    return [Call(image(2, 32, 32), {"output_hidden_states": True}), Call(image(1, 37, 50))]


CASES = [
    Case(
        "bottleneck",
        CONFIG | {"out_features": ["stage1", "stage3"]},
        ["ResNetModel", "ResNetForImageClassification", "ResNetBackbone"],
        calls,
    ),
    Case(
        "basic",
        CONFIG | {"layer_type": "basic", "hidden_act": "silu", "downsample_in_first_stage": True, "num_labels": 5},
        ["ResNetForImageClassification"],
        calls,
    ),
    Case(
        "early",
        CONFIG | {"downsample_in_bottleneck": True, "out_indices": [-1]},
        ["ResNetBackbone"],
        calls,
    ),
]

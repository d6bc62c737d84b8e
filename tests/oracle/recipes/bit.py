"""BiT: both kinds of blocks and of borders, kernels that widen, pictures of odd sizes, and as a backbone."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {"embedding_size": 8, "hidden_sizes": [16, 24, 32], "depths": [1, 2, 1], "num_groups": 4}


def calls(name):
    if name == "BitForImageClassification":
        return [Call(image(2, 24, 24)), Call(image(2, 24, 24), labels={"labels": np.array([0, 1])})]
    return [Call(image(2, 24, 24), {"output_hidden_states": True}), Call(image(1, 21, 30))]


CASES = [
    Case(
        "preactivation",
        CONFIG | {"out_features": ["stage1", "stage3"]},
        ["BitModel", "BitForImageClassification", "BitBackbone"],
        calls,
    ),
    Case(
        "bottleneck",
        CONFIG
        | {
            "layer_type": "bottleneck",
            "global_padding": "same",
            "embedding_dynamic_padding": True,
            "depths": [1, 1, 2],
            "output_stride": 8,
            "hidden_act": "silu",
            "out_indices": [0, 1, 2, 3],
        },
        ["BitForImageClassification", "BitBackbone"],
        calls,
    ),
    Case(
        "same",
        CONFIG | {"global_padding": "SAME", "output_stride": 4},
        ["BitModel"],
        calls,
    ),
]

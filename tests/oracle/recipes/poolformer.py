"""PoolFormer: pictures of odd sizes, larger pools, and without scales."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {"hidden_sizes": [8, 12, 16, 20], "depths": [1, 2, 1, 1], "mlp_ratio": 2.0}
STATES = {"output_hidden_states": True}


def calls(name):
    if name == "PoolFormerForImageClassification":
        return [Call(image(2, 32, 32)), Call(image(2, 32, 32), labels={"labels": np.array([0, 1])})]
    return [Call(image(1, 64, 48), STATES), Call(image(2, 37, 85))]


CASES = [
    Case("base", CONFIG, ["PoolFormerModel", "PoolFormerForImageClassification"], calls),
    Case(
        "unscaled",
        CONFIG | {"use_layer_scale": False, "pool_size": 5, "hidden_act": "relu", "num_channels": 1, "num_labels": 5},
        ["PoolFormerForImageClassification"],
        lambda name: [Call(image(2, 40, 64, 1), STATES)],
    ),
]

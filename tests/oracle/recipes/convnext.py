"""ConvNeXT: pictures of odd sizes, as a backbone, and without scales."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {"hidden_sizes": [8, 12, 16], "depths": [1, 2, 1], "num_stages": 3, "image_size": 32}
STATES = {"output_hidden_states": True}


def calls(name):
    if name.endswith("ForImageClassification"):
        return [Call(image(2, 32, 32)), Call(image(2, 32, 32), labels={"labels": np.array([0, 1])})]
    return [Call(image(1, 32, 32), STATES), Call(image(1, 19, 45))]


CLASSES = ["ConvNextModel", "ConvNextForImageClassification", "ConvNextBackbone"]
OTHER = CONFIG | {"patch_size": 2, "hidden_act": "relu", "num_channels": 1, "num_labels": 5}
CASES = [
    Case("base", CONFIG | {"out_features": ["stem", "stage2", "stage3"]}, CLASSES, calls),
    Case(
        "unscaled",
        OTHER | {"layer_scale_init_value": 0.0, "layer_norm_eps": 1e-3},
        ["ConvNextForImageClassification"],
        lambda name: [Call(image(2, 16, 24, 1), STATES)],
    ),
]

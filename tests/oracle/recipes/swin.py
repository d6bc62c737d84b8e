"""Swin: every head, pictures that patches and windows do not fit into, maps of one window, hidden patches, and as a
backbone, which moves even lone windows."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "image_size": 24,
    "patch_size": 2,
    "embed_dim": 8,
    "depths": [2, 1],
    "num_heads": [2, 4],
    "window_size": 3,
    "encoder_stride": 4,
}
ALL = {"output_hidden_states": True, "output_attentions": True}
HIDDEN = {"bool_masked_pos": integers("bool_masked_pos", (2, 144), 0, 2).astype(bool)}


def calls(name):
    picture = image(2, 24, 24)
    if name.endswith("ForMaskedImageModeling"):
        return [Call(picture | HIDDEN), Call(picture | HIDDEN, learns=True)]
    if name.endswith("ForImageClassification"):
        return [Call(picture), Call(image(2, 17, 29)), Call(picture, labels={"labels": np.array([0, 1])})]
    return [Call(image(1, 16, 12), ALL), Call(image(1, 17, 29))]


CLASSES = ["SwinModel", "SwinForImageClassification", "SwinForMaskedImageModeling"]
SMALL = CONFIG | {"depths": [2, 2], "num_channels": 1, "qkv_bias": False, "mlp_ratio": 1.5, "hidden_act": "relu"}
CASES = [
    Case("base", CONFIG, CLASSES, calls),
    Case(
        "stages",
        CONFIG | {"depths": [1, 2, 1], "num_heads": [1, 2, 4], "out_features": ["stem", "stage2"]},
        ["SwinBackbone"],
        lambda name: [Call(image(1, 16, 20), ALL), Call(image(1, 5, 9))],
    ),
    # The second stage's maps, of 3 x 5, are one window high: the reference moves no windows there.
    Case("grey", SMALL, ["SwinForImageClassification"], lambda name: [Call(image(1, 12, 20, 1), ALL)]),
]

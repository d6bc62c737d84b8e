"""Swin Transformer V2: as Swin; windows that were smaller in training, and stages as large as a window."""

from recipe import Call, Case, image
from recipes.swin import ALL, CONFIG, SMALL, calls

SMALLER = {"pretrained_window_sizes": [2, 2, 0]}
CLASSES = ["Swinv2Model", "Swinv2ForImageClassification", "Swinv2ForMaskedImageModeling"]
CASES = [
    Case("base", CONFIG, CLASSES, calls),
    Case(
        "stages",
        CONFIG | SMALLER | {"depths": [1, 2, 1], "num_heads": [1, 2, 4], "out_features": ["stem", "stage2"]},
        ["Swinv2Backbone"],
        lambda name: [Call(image(1, 16, 20), ALL), Call(image(1, 9, 15))],
    ),
    # The second stage, of 4 x 4, is smaller than a window.
    Case(
        "grey",
        SMALL | {"image_size": 16, "window_size": 5},
        ["Swinv2ForImageClassification"],
        lambda name: [Call(image(1, 16, 16, 1))],
    ),
]

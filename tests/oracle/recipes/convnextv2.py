"""ConvNeXT V2: as ConvNeXT."""

from recipe import Call, Case, image
from recipes.convnext import CONFIG, OTHER, STATES, calls

CLASSES = ["ConvNextV2Model", "ConvNextV2ForImageClassification", "ConvNextV2Backbone"]
CASES = [
    Case("base", CONFIG | {"out_features": ["stem", "stage2", "stage3"]}, CLASSES, calls),
    Case(
        "grey",
        OTHER | {"layer_norm_eps": 1e-3},
        ["ConvNextV2ForImageClassification"],
        lambda name: [Call(image(2, 16, 24, 1), STATES)],
    ),
]

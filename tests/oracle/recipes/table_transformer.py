"""Table Transformer on ResNets of two kinds, with padded pictures, all states and the losses of all layers."""

import timm_alone  # noqa: F401
from recipe import Call, Case, image, objects
from recipes.detr import CONFIG, FACTORS, SMALL, STATES, TIMM, padded


def calls(name):
    given = padded((34, 30), (20, 66))
    if name == "TableTransformerModel":
        return [Call(given, STATES)]
    return [Call(given), Call(given, labels=objects([2, 1], 3))]


CLASSES = ["TableTransformerModel", "TableTransformerForObjectDetection"]
CASES = [
    Case("base", CONFIG, CLASSES, calls, factors=FACTORS),
    Case("auxiliary", CONFIG | {"auxiliary_loss": True}, CLASSES[1:], calls),
    Case("timm", SMALL | TIMM, CLASSES[1:], lambda name: [Call(image(1, 33, 70))]),
]

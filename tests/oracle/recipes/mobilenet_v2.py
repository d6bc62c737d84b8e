"""MobileNetV2: every head, both ways of padding, widths, dilation in the place of strides, pictures of odd sizes."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {"depth_multiplier": 0.1, "depth_divisible_by": 4, "min_depth": 4, "finegrained_output": False}
PIXELS = integers("pixels", (2, 9, 13), 0, 4)
PIXELS[:, :2] = 255


def calls(name):
    picture = image(2, 17, 20)
    if name == "MobileNetV2ForSemanticSegmentation":
        return [Call(picture), Call(picture, labels={"labels": PIXELS})]
    return [Call(picture, {"output_hidden_states": True}), Call(image(1, 67, 40))]


def classified(picture):
    return lambda name: [Call(picture), Call(picture, labels={"labels": np.arange(len(picture["pixel_values"])) % 2})]


CASES = [
    Case("base", CONFIG | {"num_labels": 4}, ["MobileNetV2Model", "MobileNetV2ForSemanticSegmentation"], calls),
    Case(
        "even_padding",
        CONFIG | {"tf_padding": False, "first_layer_is_expansion": False, "num_labels": 4, "output_stride": 16},
        ["MobileNetV2ForSemanticSegmentation"],
        lambda name: [Call(image(1, 17, 20), {"output_hidden_states": True}), Call(image(1, 32, 48))],
    ),
    Case(
        "fine",
        {"depth_multiplier": 0.05, "depth_divisible_by": 2, "min_depth": 2, "expand_ratio": 3.0, "output_stride": 8}
        | {"hidden_act": "relu", "num_channels": 1, "layer_norm_eps": 0.01},
        ["MobileNetV2ForImageClassification"],
        classified(image(2, 24, 30, 1)),
    ),
    Case(
        "wide",
        CONFIG | {"depth_multiplier": 1.2, "expand_ratio": 1.5},
        ["MobileNetV2ForImageClassification"],
        classified(image(1, 33, 40)),
    ),
]

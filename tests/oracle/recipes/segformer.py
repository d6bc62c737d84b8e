"""SegFormer: every head, the decoder alone, pictures of odd sizes, the last stage as tokens, and a single class."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers, weights

CONFIG = {
    "hidden_sizes": [8, 12, 16],
    "depths": [1, 2, 1],
    "sr_ratios": [4, 2, 1],
    "patch_sizes": [7, 3, 3],
    "strides": [4, 2, 2],
    "num_attention_heads": [1, 2, 2],
    "mlp_ratios": [2, 2, 3],
    "num_encoder_blocks": 3,
    "decoder_hidden_size": 16,
    "num_labels": 5,
}
ALL = {"output_hidden_states": True, "output_attentions": True}


def labels(classes, ignored=255):
    """What each pixel of two pictures of 16 x 16 is; of some it does not count."""
    told = integers("labels", (2, 16, 16), 0, classes)
    told[:, :3] = ignored
    return {"labels": told}


def calls(name):
    picture = image(2, 32, 32)
    if name == "SegformerForImageClassification":
        return [Call(picture), Call(picture, labels={"labels": np.array([0, 1])})]
    if name == "SegformerDecodeHead":
        maps = [weights(f"maps{c}", (2, c, h, h + 1)) for c, h in zip(CONFIG["hidden_sizes"], (8, 4, 2), strict=True)]
        return [Call({"encoder_hidden_states": maps}, arrange=lambda logits: {"logits": logits})]
    if name == "SegformerForSemanticSegmentation":
        return [Call(image(1, 37, 50)), Call(image(1, 32, 24), ALL), Call(image(2, 16, 16), labels=labels(5))]
    return [Call(image(1, 32, 24), ALL), Call(image(1, 37, 50))]


CLASSES = ["SegformerModel", "SegformerForImageClassification", "SegformerForSemanticSegmentation"]
CASES = [
    Case("base", CONFIG, [*CLASSES, "SegformerDecodeHead"], calls),
    Case(
        "one",
        CONFIG | {"num_labels": 1, "num_channels": 1, "hidden_act": "relu", "patch_sizes": [4, 2, 3]},
        ["SegformerForSemanticSegmentation"],
        lambda name: [Call(image(2, 32, 32, 1)), Call(image(2, 16, 16, 1), labels=labels(2))],
    ),
    Case(
        "tokens",
        CONFIG | {"reshape_last_stage": False},
        CLASSES[:2],
        lambda name: [Call(image(1, 32, 24), ALL)],
    ),
]

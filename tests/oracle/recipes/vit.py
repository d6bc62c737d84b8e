"""ViT: every head, a picture of another size, hidden patches, no bias and another activation."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "image_size": 16,
    "patch_size": 4,
    "encoder_stride": 4,
}
HIDDEN = {"bool_masked_pos": integers("bool_masked_pos", (2, 16), 0, 2).astype(bool)}


def calls(name):
    picture, other = image(2, 16, 16), Call(image(2, 20, 12), {"interpolate_pos_encoding": True})
    if name == "ViTForMaskedImageModeling":
        return [Call(picture | HIDDEN), Call(picture | HIDDEN, learns=True)]
    if name == "ViTForImageClassification":
        return [Call(picture), other, Call(picture, labels={"labels": np.array([0, 1])})]
    return [Call(picture, {"output_hidden_states": True, "output_attentions": True}), other]


CASES = [
    Case("base", CONFIG, ["ViTModel", "ViTForImageClassification", "ViTForMaskedImageModeling"], calls),
    Case(
        "grey",
        CONFIG | {"qkv_bias": False, "hidden_act": "gelu_new", "num_channels": 1, "num_labels": 1},
        ["ViTForImageClassification"],
        lambda name: [Call(image(2, 16, 16, 1)), Call(image(2, 16, 16, 1), labels={"labels": np.array([0.5, 2.0])})],
    ),
]

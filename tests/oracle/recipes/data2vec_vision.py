"""Data2Vec for pictures: every head, and both kinds of positions."""

import numpy as np
from recipe import Call, Case, image

CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 16,
    "patch_size": 4,
}
SEGMENTATION = CONFIG | {
    "num_hidden_layers": 4,
    "image_size": 12,
    "out_indices": [1, 2, 3, 4],
    "pool_scales": [1, 2],
    "auxiliary_channels": 8,
    "num_labels": 4,
    "use_shared_relative_position_bias": True,
}
PIXELS = {"labels": np.where(np.arange(288) % 7 == 0, 255, np.arange(288) // 5 % 4).reshape(2, 12, 12)}


def calls(name):
    picture = image(2, 16, 16)
    if name == "Data2VecVisionForImageClassification":
        return [Call(picture), Call(picture, labels={"labels": np.array([0, 1])})]
    return [Call(picture, {"output_hidden_states": True, "output_attentions": True})]


CASES = [
    Case(
        "base",
        CONFIG | {"use_relative_position_bias": True},
        ["Data2VecVisionModel", "Data2VecVisionForImageClassification"],
        calls,
    ),
    Case(
        "absolute",
        CONFIG | {"use_absolute_position_embeddings": True, "use_mask_token": True, "use_mean_pooling": False},
        ["Data2VecVisionForImageClassification"],
        lambda name: [Call(image(1, 20, 14))],
    ),
    Case(
        "segmentation",
        SEGMENTATION,
        ["Data2VecVisionForSemanticSegmentation"],
        lambda name: [Call(image(2, 12, 12)), Call(image(2, 12, 12), labels=PIXELS)],
    ),
]

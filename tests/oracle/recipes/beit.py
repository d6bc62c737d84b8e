"""BEiT: every head, relative positions of all blocks or of each, absolute ones, pictures of other sizes, and DiT's
configuration."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "vocab_size": 30,
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
}
HIDDEN = {"bool_masked_pos": integers("bool_masked_pos", (2, 16), 0, 2).astype(bool)}
WORDS = {"labels": integers("labels", (int(HIDDEN["bool_masked_pos"].sum()),), 0, 30)}
PIXELS = {"labels": np.where(np.arange(288) % 7 == 0, 255, np.arange(288) // 5 % 4).reshape(2, 12, 12)}
STATES = {"output_hidden_states": True, "output_attentions": True}


def calls(name):
    picture = image(2, 16, 16)
    if name == "BeitForMaskedImageModeling":
        return [Call(picture | HIDDEN), Call(picture | HIDDEN, labels=WORDS)]
    if name == "BeitForImageClassification":
        return [Call(picture), Call(picture, labels={"labels": np.array([0, 1])})]
    return [Call(picture, STATES)]


def any_size(name):
    if name == "BeitForMaskedImageModeling":
        return [Call(image(2, 16, 16) | HIDDEN)]
    return [Call(image(2, 16, 16)), Call(image(1, 20, 14))]


def segmentation(name):
    return [Call(image(2, 12, 12)), Call(image(2, 12, 12), labels=PIXELS)]


CASES = [
    Case("base", CONFIG | {"use_relative_position_bias": True}, ["BeitModel", "BeitForImageClassification"], calls),
    Case(
        "masked",
        CONFIG | {"use_shared_relative_position_bias": True, "use_mask_token": True, "use_mean_pooling": False},
        ["BeitModel", "BeitForMaskedImageModeling"],
        calls,
    ),
    Case(
        "dit",
        CONFIG
        | {"use_absolute_position_embeddings": True, "use_mask_token": True, "layer_scale_init_value": 1e-5}
        | {"use_relative_position_bias": False, "num_labels": 5},
        ["BeitForImageClassification", "BeitForMaskedImageModeling"],
        any_size,
    ),
    Case(
        "segmentation",
        SEGMENTATION | {"use_relative_position_bias": True, "use_shared_relative_position_bias": True},
        ["BeitForSemanticSegmentation"],
        segmentation,
    ),
    Case(
        "concatenating",
        SEGMENTATION
        | {"auxiliary_concat_input": True, "auxiliary_num_convs": 2, "layer_scale_init_value": 0}
        | {"use_mean_pooling": False},
        ["BeitForSemanticSegmentation"],
        segmentation,
    ),
    Case(
        "plain_segmentation",
        SEGMENTATION | {"use_auxiliary_head": False},
        ["BeitForSemanticSegmentation"],
        segmentation,
    ),
    Case(
        "resized",
        CONFIG | {"use_relative_position_bias": True, "layer_scale_init_value": 1.0, "drop_path_rate": 0.0},
        ["BeitModel"],
        lambda name: [Call(image(1, 24, 12))],
        reference="5.23",
    ),
    Case(
        "maps",
        CONFIG | {"out_features": ["stem", "stage2"], "use_absolute_position_embeddings": True},
        ["BeitBackbone"],
        lambda name: [Call(image(2, 16, 16), STATES), Call(image(1, 20, 14))],
    ),
    Case(
        "pyramid",
        CONFIG | {"num_hidden_layers": 3, "out_indices": [0, 1, 2, 3], "add_fpn": True, "batch_norm_eps": 1e-3},
        ["BeitBackbone"],
        lambda name: [Call(image(1, 16, 16))],
    ),
    Case(
        "tokens",
        CONFIG | {"out_indices": [1, 2], "reshape_hidden_states": False},
        ["BeitBackbone"],
        lambda name: [Call(image(2, 16, 16))],
    ),
]

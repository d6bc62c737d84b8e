"""DINOv2: every head, pictures of other sizes, hidden patches, gated MLPs, and as a backbone."""

import numpy as np
from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "mlp_ratio": 2,
    "image_size": 16,
    "patch_size": 4,
}
HIDDEN = {"bool_masked_pos": integers("bool_masked_pos", (2, 16), 0, 2).astype(bool)}
STATES = {"output_hidden_states": True, "output_attentions": True}


def calls(name):
    picture = image(2, 16, 16)
    # Of the third size there are as many patches as of the configured one, but it is no square.
    other, odd = Call(image(1, 20, 12)), Call(image(1, 17, 18))
    if name == "Dinov2ForImageClassification":
        return [Call(picture), other, Call(picture, labels={"labels": np.array([0, 1])})]
    if name == "Dinov2Backbone":
        return [Call(picture, STATES), other]
    return [Call(picture, STATES), other, odd, Call(picture), Call(picture | HIDDEN)]


CASES = [
    Case("base", CONFIG, ["Dinov2Model", "Dinov2ForImageClassification"], calls),
    Case("maps", CONFIG | {"out_features": ["stem", "stage2"]}, ["Dinov2Backbone"], calls),
    Case(
        "gated",
        CONFIG
        | {"use_swiglu_ffn": True, "layerscale_value": 0.5, "qkv_bias": False, "num_labels": 3, "out_indices": [1]}
        | {"apply_layernorm": False, "reshape_hidden_states": False},
        ["Dinov2ForImageClassification", "Dinov2Backbone"],
        calls,
    ),
]

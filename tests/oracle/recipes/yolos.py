"""YOLOS: pictures of other sizes, the loss with missing objects, with and without positions between the blocks.

The reference's auxiliary losses fail: they ask for states that the encoder does not have."""

from recipe import Call, Case, image, objects

CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": [12, 8],
    "patch_size": 4,
    "num_detection_tokens": 4,
    "num_labels": 3,
}
STATES = {"output_hidden_states": True, "output_attentions": True}


def calls(name):
    others = [Call(image(1, 8, 16)), Call(image(1, 17, 14))]
    if name == "YolosModel":
        return [Call(image(2, 12, 8), STATES), *others]
    return [Call(image(2, 12, 8)), *others, Call(image(2, 12, 8), labels=objects([2, 1], 3))]


CLASSES = ["YolosModel", "YolosForObjectDetection"]
CASES = [
    Case("base", CONFIG, CLASSES, calls),
    Case(
        "without",
        CONFIG | {"use_mid_position_embeddings": False, "qkv_bias": False, "num_channels": 1},
        CLASSES[1:],
        lambda name: [Call(image(1, 8, 12, 1)), Call(image(1, 12, 8, 1), STATES)],
    ),
]

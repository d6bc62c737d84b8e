"""Mask2Former on Swin: all states, auxiliary outputs, norms before, more finer maps, and pictures of odd sizes.

Its loss looks at random points: tests/test_detection_losses.py holds it to the reference."""

from recipe import Call, Case, image

CONFIG = {
    "backbone_config": {
        "model_type": "swin",
        "image_size": 20,
        "patch_size": 2,
        "embed_dim": 8,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 2, 2],
        "window_size": 2,
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    },
    "feature_size": 32,
    "hidden_dim": 32,
    "mask_feature_size": 8,
    "encoder_feedforward_dim": 16,
    "dim_feedforward": 24,
    "encoder_layers": 2,
    "decoder_layers": 5,
    "num_attention_heads": 4,
    "num_queries": 4,
    "num_labels": 3,
    "train_num_points": 16,
}
STATES = {"output_hidden_states": True, "output_attentions": True}


def calls(name):
    if name == "Mask2FormerModel":
        return [Call(image(1, 20, 20), STATES)]
    return [Call(image(1, 20, 20), {"output_auxiliary_logits": True}), Call(image(1, 19, 26))]


CASES = [
    Case("base", CONFIG, ["Mask2FormerModel", "Mask2FormerForUniversalSegmentation"], calls),
    Case(
        "before",
        CONFIG
        | {
            "pre_norm": True,
            "activation_function": "gelu",
            "feature_strides": [4, 8, 16, 32],
            "common_stride": 2,
            "output_auxiliary_logits": True,
        },
        ["Mask2FormerForUniversalSegmentation"],
        lambda name: [Call(image(1, 20, 20), {"output_attentions": True})],
    ),
]

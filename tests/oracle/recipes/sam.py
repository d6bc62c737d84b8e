"""SAM: every kind of prompt and several at once, windows that do not divide the picture, a picture's embeddings in its
place, guidance towards a target, and no relative or no absolute positions."""

import numpy as np
from recipe import Call, Case, image
from seeded import weights

VISION = {
    "hidden_size": 16,
    "output_channels": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 12,
    "patch_size": 4,
    "window_size": 2,
    "global_attn_indexes": [1],
    "num_pos_feats": 8,
    "mlp_dim": 24,
}
PROMPTS = {"hidden_size": 16, "image_size": 12, "patch_size": 4, "mask_input_channels": 8}
DECODER = {"hidden_size": 16, "mlp_dim": 24, "num_attention_heads": 2, "iou_head_hidden_dim": 12}
CONFIG = {"vision_config": VISION, "prompt_encoder_config": PROMPTS, "mask_decoder_config": DECODER}

POINTS = {
    "input_points": 6 + 3 * weights("input_points", (2, 2, 3, 2)),
    "input_labels": np.array([[[1, 0, -10], [1, -1, 1]], [[0, 1, 1], [1, -10, -10]]]),
}
BOXES = {"input_boxes": 5 + 4 * weights("input_boxes", (2, 2, 4))}
MASKS = {"input_masks": weights("input_masks", (2, 1, 12, 12))}
EMBEDDED = {"image_embeddings": weights("image_embeddings", (2, 16, 3, 3))}
TARGET = {
    "attention_similarity": weights("attention_similarity", (2, 1, 1, 9)),
    "target_embedding": weights("target_embedding", (1, 1, 1, 16)),
}


def calls(name):
    picture, one = image(2, 12, 12), {"input_points": POINTS["input_points"][:, :1]}
    return [
        Call(picture | POINTS, {"output_hidden_states": True, "output_attentions": True}),
        Call(EMBEDDED | POINTS | BOXES, {"multimask_output": False}),
        Call(EMBEDDED | BOXES | MASKS),
        Call(EMBEDDED | MASKS),
        Call(EMBEDDED | one | TARGET),
        Call(EMBEDDED),
        Call(picture, method="get_image_embeddings"),
        Call(POINTS, method="get_prompt_embeddings"),
    ]


CASES = [
    Case("base", CONFIG, ["SamModel"], calls),
    Case(
        "plain",
        {
            "vision_config": VISION | {"use_rel_pos": False, "use_abs_pos": False, "window_size": 0, "qkv_bias": False},
            "prompt_encoder_config": PROMPTS | {"hidden_act": "relu"},
            "mask_decoder_config": DECODER | {"iou_head_depth": 4, "num_multimask_outputs": 2, "num_hidden_layers": 1},
        },
        ["SamModel"],
        lambda name: [Call(image(1, 12, 12) | {key: value[:1] for key, value in (POINTS | MASKS).items()})],
    ),
]

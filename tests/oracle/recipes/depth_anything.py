"""Depth Anything: pictures of the configured size, and of others whose maps are not twice as large as the next."""

from recipe import Call, Case, image

CONFIG = {
    "backbone_config": {
        "model_type": "dinov2",
        "hidden_size": 16,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "mlp_ratio": 2,
        "image_size": 8,
        "patch_size": 4,
        "out_indices": [1, 2, 3, 4],
        "reshape_hidden_states": False,
    },
    "patch_size": 4,
    "reassemble_hidden_size": 16,
    "neck_hidden_sizes": [6, 8, 12, 16],
    "fusion_hidden_size": 8,
    "head_hidden_size": 6,
}
STATES = {"output_hidden_states": True, "output_attentions": True}

CASES = [
    Case(
        "base",
        CONFIG,
        ["DepthAnythingForDepthEstimation"],
        lambda name: [Call(image(2, 8, 8)), Call(image(1, 14, 20), STATES)],
    )
]

"""DPT: depth and classes, the hybrid on BiT, backbones of other architectures in the encoder's place, every readout,
and pictures of another size."""

from recipe import Call, Case, image
from seeded import integers

CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 8,
    "patch_size": 4,
    "backbone_out_indices": [0, 1, 2, 3],
    "neck_hidden_sizes": [6, 8, 12, 16],
    "fusion_hidden_size": 22,  # depth ends in a ReLU: with these widths not all of it is 0
    "num_labels": 3,
}
BIT = {
    "model_type": "bit",
    "embedding_size": 8,
    "hidden_sizes": [8, 16, 16],
    "depths": [1, 1, 1],
    "num_groups": 4,
    "global_padding": "same",
    "layer_type": "bottleneck",
    "embedding_dynamic_padding": True,
    "out_features": ["stage1", "stage2", "stage3"],
}
HYBRID = {
    "is_hybrid": True,
    "image_size": 32,
    "patch_size": 16,
    "neck_hidden_sizes": [8, 16, 12, 16],
    "reassemble_factors": [1, 1, 1, 0.5],
    "backbone_featmap_shape": [1, 16, 2, 2],
    "backbone_config": BIT,
}
DINOV2 = {
    "model_type": "dinov2",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "mlp_ratio": 2,
    "image_size": 8,
    "patch_size": 4,
    "out_indices": [1, 2],
    "reshape_hidden_states": False,
}
SWINV2 = {
    "model_type": "swinv2",
    "image_size": 16,
    "patch_size": 2,
    "embed_dim": 16,
    "depths": [1, 1],
    "num_heads": [2, 2],
    "window_size": 2,
    "out_features": ["stage1", "stage2"],
}
STATES = {"output_hidden_states": True, "output_attentions": True}


def calls(name):
    picture = image(1, 8, 8)
    if name == "DPTForSemanticSegmentation":
        labels = integers("labels", (1, 10, 12), 0, 4)
        labels[labels == 3] = 255
        return [Call(picture, arrange=logits_alone), Call(picture, labels={"labels": labels})]
    states = [Call(picture, STATES)] if name == "DPTModel" else [Call(picture)]
    return [*states, Call(image(1, 12, 12))]


def logits_alone(outputs):
    return {"logits": outputs.logits}


HEADS = ["DPTForDepthEstimation", "DPTForSemanticSegmentation"]
CASES = [
    Case("base", CONFIG, ["DPTModel", *HEADS], calls),
    Case(
        "added",
        CONFIG
        | {
            "readout_type": "add",
            "use_batch_norm_in_fusion_residual": True,
            "fusion_hidden_size": 30,
            "qkv_bias": False,
            "backbone_out_indices": [1, 3],
            "neck_hidden_sizes": [6, 12],
            "reassemble_factors": [2, 0.5],
        },
        HEADS,
        calls,
    ),
    Case(
        "ignored",
        CONFIG
        | {
            "readout_type": "ignore",
            "head_in_index": -2,
            "fusion_hidden_size": 12,
            "use_bias_in_fusion_residual": False,
            "use_auxiliary_head": False,
        },
        HEADS,
        lambda name: [Call(image(1, 8, 8), STATES if name == "DPTForDepthEstimation" else {})],
    ),
    Case("hybrid", CONFIG | HYBRID, ["DPTModel", *HEADS], lambda name: [Call(image(1, 32, 32))]),
    Case(
        "dinov2",
        {
            "backbone_config": DINOV2,
            "neck_hidden_sizes": [18, 20],
            "reassemble_factors": [2, 0.5],
            "fusion_hidden_size": 256,
            "add_projection": True,
        },
        ["DPTForDepthEstimation"],
        lambda name: [Call(image(1, 8, 8)), Call(image(1, 10, 16), {"output_hidden_states": True})],
    ),
    Case(
        "swinv2",
        {"backbone_config": SWINV2, "neck_hidden_sizes": [16, 32], "fusion_hidden_size": 10},
        ["DPTForDepthEstimation"],
        lambda name: [Call(image(1, 8, 8))],
    ),
]

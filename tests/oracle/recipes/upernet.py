"""UPerNet over Swin, ConvNeXT and ResNet, with an auxiliary head of each kind and without, on pictures of odd sizes."""

from recipe import Call, Case, image
from recipes.segformer import labels
from transformers import ConvNextConfig, ResNetConfig, SwinConfig

STAGES = {"out_features": ["stage1", "stage2", "stage3"]}
SWIN = STAGES | {"embed_dim": 8, "depths": [1, 2, 1], "num_heads": [1, 2, 4], "window_size": 3, "patch_size": 2}
CONVNEXT = STAGES | {"hidden_sizes": [8, 12, 16], "depths": [1, 1, 1], "num_stages": 3, "patch_size": 2}
RESNET = STAGES | {"embedding_size": 8, "hidden_sizes": [8, 12, 16], "depths": [1, 1, 1], "layer_type": "basic"}
CONFIG = {"hidden_size": 12, "auxiliary_channels": 8, "num_labels": 5, "pool_scales": [1, 2, 3]}
CLASSES = ["UperNetForSemanticSegmentation"]
LEARN = Call(image(2, 16, 16), labels=labels(5))
CASES = [
    Case(
        "swin",
        CONFIG | {"backbone_config": SwinConfig(**SWIN), "auxiliary_in_channels": 32},
        CLASSES,
        lambda name: [LEARN, Call(image(1, 14, 18)), Call(image(1, 16, 16), {"output_attentions": True})],
    ),
    Case(
        "convnext",
        CONFIG
        | {"backbone_config": ConvNextConfig(**CONVNEXT), "auxiliary_in_channels": 16}
        | {"auxiliary_num_convs": 2, "auxiliary_concat_input": True, "auxiliary_loss_weight": 0.7},
        CLASSES,
        lambda name: [LEARN, Call(image(1, 13, 23)), Call(image(1, 16, 16), {"output_hidden_states": True})],
    ),
    Case(
        "resnet",
        CONFIG | {"backbone_config": ResNetConfig(**RESNET), "use_auxiliary_head": False, "loss_ignore_index": 3},
        CLASSES,
        lambda name: [Call(image(2, 16, 16), labels=labels(5, ignored=3)), Call(image(1, 21, 35))],
    ),
]

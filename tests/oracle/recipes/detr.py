"""DETR on ResNets of two kinds, the Hub's and timm's, with dilation; padded pictures, learned positions, masks, and
losses of all layers."""

import numpy as np
import timm_alone  # noqa: F401
from recipe import Call, Case, image, objects

RESNET = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [16, 16, 16, 16], "depths": [1, 1, 1, 1]}
RESNET |= {"layer_type": "basic", "out_features": ["stage1", "stage2", "stage3", "stage4"]}
NATIVE = {"use_timm_backbone": False, "backbone": None, "use_pretrained_backbone": False, "backbone_config": RESNET}
TIMM = {"use_pretrained_backbone": False, "backbone": "resnet18"}
DC5 = {"backbone": "resnet50", "dilation": True}
SMALL = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 8,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 40,
    "num_queries": 5,
    "num_labels": 3,
}
CONFIG = SMALL | NATIVE
FACTORS = {  # or all queries would find the same
    "query_position_embeddings.weight": 9,
    "input_projection.weight": 5,
    "encoder_attn.q_proj.weight": 5,
    "_linear.weight": 7,
    "class_labels_classifier.weight": 2,
    "out_lay.weight": 20,
}
STATES = {"output_hidden_states": True, "output_attentions": True}


def padded(*sizes):
    """Pictures of these sizes, padded to one."""
    height, width = (max(sides) for sides in zip(*sizes, strict=True))
    mask = np.zeros((len(sizes), height, width), "bool")
    for real, (h, w) in zip(mask, sizes, strict=True):
        real[:h, :w] = True
    return image(len(sizes), height, width, pixel_mask=mask)


def calls(name):
    given = padded((34, 30), (20, 66))
    if name == "DetrModel":
        return [Call(given, STATES), Call(image(1, 37, 70))]
    masks = (17, 25) if name == "DetrForSegmentation" else None
    return [Call(given), Call(given, labels=objects([2, 1], 3, masks))]


CLASSES = ["DetrModel", "DetrForObjectDetection", "DetrForSegmentation"]
AUXILIARY = {"auxiliary_loss": True, "position_embedding_type": "learned", "activation_function": "gelu"}
CASES = [
    Case("base", CONFIG, CLASSES, calls, factors=FACTORS),
    Case("auxiliary", CONFIG | AUXILIARY, CLASSES[:2], calls, factors=FACTORS),
    Case("timm", SMALL | TIMM | {"num_channels": 1}, CLASSES[2:], lambda name: [Call(image(1, 33, 70, 1))]),
    Case("dilated", SMALL | TIMM | DC5, CLASSES[1:2], lambda name: [Call(image(1, 64, 48))]),
]

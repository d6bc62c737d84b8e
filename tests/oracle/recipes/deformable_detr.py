"""Deformable DETR on ResNets of two kinds, the Hub's and timm's; padded pictures, one map and several, learned
positions, boxes that are refined, two stages, and losses of all layers."""

import timm_alone  # noqa: F401
from recipe import Call, Case, image, objects
from recipes.detr import NATIVE, RESNET, TIMM, padded

SMALL = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 40,
    "encoder_n_points": 2,
    "decoder_n_points": 3,
    "num_queries": 5,
    "num_labels": 3,
}
MAPS = {"backbone_config": RESNET | {"out_features": ["stage2", "stage3", "stage4"]}}
CONFIG = SMALL | NATIVE | MAPS
STATES = {"output_hidden_states": True, "output_attentions": True}
REFINED = {"with_box_refine": True, "auxiliary_loss": True, "decoder_layers": 3}
PADDED = padded((18, 30), (30, 14))
TWO_STAGES = {"with_box_refine": True, "two_stage": True, "two_stage_num_proposals": 6}


def calls(name):
    if name == "DeformableDetrModel":
        return [Call(image(2, 10, 18), STATES)]
    return [Call(PADDED, arrange=predictions), Call(PADDED, labels=objects([2, 1], 3))]


def of_queries(outputs):
    """Without those of the pixels: the places of padding are sines of millions, which no two programs agree on."""
    return {name: values for name, values in outputs.items() if not name.startswith("encoder")}


def predictions(outputs):
    return {name: outputs[name] for name in ("logits", "pred_boxes")}


CLASSES = ["DeformableDetrModel", "DeformableDetrForObjectDetection"]
CASES = [
    Case("base", CONFIG, CLASSES, calls),
    Case("refined", CONFIG | REFINED | {"position_embedding_type": "learned"}, CLASSES[1:], calls),
    Case(
        "two_stages",
        CONFIG | TWO_STAGES,
        CLASSES[1:],
        lambda name: [Call(PADDED, arrange=of_queries), *calls(name)[1:], Call(image(2, 10, 18))],
    ),
    Case(
        "one_map",
        SMALL | NATIVE | {"backbone_config": RESNET | {"out_features": ["stage4"]}, "num_feature_levels": 1},
        CLASSES[:1],
        lambda name: [Call(padded((80, 60), (50, 96)), arrange=of_queries)],
    ),
    Case(
        "timm",
        SMALL | TIMM | {"activation_function": "gelu"},
        CLASSES[1:],
        lambda name: [Call(image(1, 37, 70), arrange=predictions)],
    ),
]

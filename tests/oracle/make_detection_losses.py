"""Writes tests/fixtures/detection_losses.json: what the reference's matchers and losses of sets say, and gradients.

    pip install transformers==4.39.3 torch "numpy<2" scipy        (in a virtual environment of its own)
    python tests/oracle/make_detection_losses.py

Every case holds the outputs of a model, the labels as fixed arrays (classes -100 where there is no object), the query
of each object by layer, the terms of the loss by layer, their weighted sum and its gradients.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import torch
from transformers.utils import import_utils

import_utils._timm_available = False  # the losses need none of its networks, nor torchvision, which it asks for

# ruff: noqa: E402
from transformers.models.deformable_detr import modeling_deformable_detr as deformable_detr
from transformers.models.detr import modeling_detr as detr
from transformers.models.mask2former import modeling_mask2former as mask2former
from transformers.models.table_transformer import modeling_table_transformer as table_transformer
from transformers.models.yolos import modeling_yolos as yolos

FILE = Path(__file__).parents[1] / "fixtures" / "detection_losses.json"
CLASSES = 4
COSTS = {"class_cost": 1.0, "bbox_cost": 5.0, "giou_cost": 2.0}
COEFFICIENTS = {"bbox_loss_coefficient": 5.0, "giou_loss_coefficient": 2.0}
MASKS = {"mask_loss_coefficient": 1.5, "dice_loss_coefficient": 0.7}


def numbers(*shape, scale=1.0):
    return (torch.randn(shape) * scale).round(decimals=2)


def boxes(*shape):
    centers, sizes = torch.rand((*shape, 2)) * 0.8 + 0.1, torch.rand((*shape, 2)) * 0.5 + 0.05
    return torch.cat([centers, sizes], -1).round(decimals=2)


def padded(lists, fill, places):
    """Arrays of different lengths as one, with `places` rows each."""
    whole = np.full((len(lists), places, *lists[0].shape[1:]), fill, lists[0].numpy().dtype)
    for row, values in zip(whole, lists, strict=True):
        row[: len(values)] = values.numpy()
    return whole.tolist()


def by_object(indices, places):
    """The reference's (queries, objects) of each picture as the query of each object."""
    matched = np.full((len(indices), places), -1)
    for row, (queries, objects) in zip(matched, indices, strict=True):
        row[np.asarray(objects)] = np.asarray(queries)
    return matched.tolist()


def rounded(values):
    return [rounded(v) for v in values] if isinstance(values, list) else round(values, 6)


def leaves(outputs, auxiliary):
    """Every tensor of the outputs, the last layer's first."""
    return [layer[name] for layer in (outputs, *outputs.get(auxiliary, ())) for name in layer if name != auxiliary]


def case(loss, config, outputs, labels, matched, terms, weights, auxiliary="auxiliary_outputs", **more):
    """The fixture of one case. terms: {name: scalar}, those of the layers before the last with a number behind."""
    layers = [{}] + [{} for _ in outputs.get(auxiliary, ())]
    for name, term in terms.items():
        base, _, number = name.rpartition("_")
        base, i = (base, int(number) + 1) if number.isdigit() else (name, 0)
        if base in weights:
            layers[i][base] = term
    total = sum(weights[name] * term for layer in layers for name, term in layer.items())
    total.backward()
    return {
        "loss": loss,
        "config": config,
        "outputs": {
            name: [{n: rounded(t.tolist()) for n, t in layer.items()} for layer in value]
            if name == auxiliary
            else rounded(value.tolist())
            for name, value in outputs.items()
        },
        "labels": labels,
        "matched": matched,
        "terms": [{name: round(term.item(), 6) for name, term in layer.items()} for layer in layers],
        "total": round(total.item(), 6),
        "gradients": [rounded(leaf.grad.tolist()) for leaf in leaves(outputs, auxiliary)],
        **more,
    }


def detection(module, name, counts, places, queries, layers=1, masks=False, **options):
    """DETR's loss, or one like it."""
    focal = module is deformable_detr
    kinds = CLASSES if focal else CLASSES + 1
    predictions = [
        {"logits": numbers(len(counts), queries, kinds), "pred_boxes": boxes(len(counts), queries)}
        for _ in range(layers)
    ]
    outputs, *others = predictions
    if masks:
        outputs["pred_masks"] = numbers(len(counts), queries, 4, 3, scale=2.0)
    if others:
        outputs["auxiliary_outputs"] = others
    for leaf in leaves(outputs, "auxiliary_outputs"):
        leaf.requires_grad_()
    # No coordinate is a predicted one: there the derivative of a difference is what each backend says.
    targets = [{"class_labels": torch.randint(0, CLASSES, (n,)), "boxes": boxes(n) + 0.005} for n in counts]
    labels = {
        "class_labels": padded([t["class_labels"] for t in targets], -100, places),
        "boxes": rounded(padded([t["boxes"] for t in targets], 0, places)),
    }
    if masks:
        for target, n in zip(targets, counts, strict=True):
            target["masks"] = (torch.rand(n, 8, 6) < 0.4).float()
        labels["masks"] = np.array(padded([t["masks"] for t in targets], 0, places), int).tolist()
    matcher = getattr(module, f"{name}HungarianMatcher")(**COSTS)
    kind = options if focal else {"eos_coef": options["eos_coefficient"]}
    criterion = getattr(module, f"{name}Loss")(
        matcher=matcher, num_classes=CLASSES, losses=["labels", "boxes"] + ["masks"] * masks, **kind
    )
    weights = {"loss_ce": 1, "loss_bbox": 5.0, "loss_giou": 2.0} | (
        {"loss_mask": 1.5, "loss_dice": 0.7} if masks else {}
    )
    matched = [by_object(matcher(p, targets), places) for p in predictions]
    config = COSTS | COEFFICIENTS | (MASKS if masks else {}) | options
    loss = "FocalDetectionLoss" if focal else "DetectionLoss"
    return case(loss, config, outputs, labels, matched, criterion(outputs, targets), weights)


def segmentation(counts, places, queries, layers):
    """Mask2Former's loss, and the points that it drew, by layer: in matching (B, P, 2), the candidates among which the
    uncertain ones are chosen, (B, N, 3 P, 2), and the others, (B, N, P / 4, 2)."""
    config = {
        "class_weight": 2.0,
        "mask_weight": 5.0,
        "dice_weight": 4.0,
        "no_object_weight": 0.1,
        "train_num_points": 12,
        "oversample_ratio": 3.0,
        "importance_sample_ratio": 0.75,
    }
    predictions = [
        {
            "class_queries_logits": numbers(len(counts), queries, CLASSES + 1),
            "masks_queries_logits": numbers(len(counts), queries, 5, 4, scale=2.0),
        }
        for _ in range(layers)
    ]
    outputs, *others = predictions
    outputs["auxiliary_logits"] = others
    for leaf in leaves(outputs, "auxiliary_logits"):
        leaf.requires_grad_()
    classes = [torch.randint(0, CLASSES, (n,)) for n in counts]
    masks = [(torch.rand(n, 8, 6) < 0.4).float() for n in counts]
    weights = {"loss_cross_entropy": 2.0, "loss_mask": 5.0, "loss_dice": 4.0}
    criterion = mask2former.Mask2FormerLoss(SimpleNamespace(num_labels=CLASSES, **config), weights)
    drawn, matched, rand, match = [], [], torch.rand, criterion.matcher.forward

    def draw(*shape, **_):
        drawn.append(rand(*shape).round(decimals=3))
        return drawn[-1]

    def remember(*arguments):
        matched.append(match(*arguments))
        return matched[-1]

    with mock.patch.object(torch, "rand", draw), mock.patch.object(criterion.matcher, "forward", remember):
        terms = criterion(outputs["masks_queries_logits"], outputs["class_queries_logits"], masks, classes, others)

    points = []
    for indices in matched:
        layer, drawn = drawn[: len(counts) + 2], drawn[len(counts) + 2 :]
        shared = rounded(torch.cat(layer[: len(counts)]).tolist())
        rows = [(b, int(n)) for b, (_, objects) in enumerate(indices) for n in objects]
        points.append([shared])
        for own in layer[len(counts) :]:
            whole = np.full((len(counts), places, *own.shape[1:]), 0.5)
            for (b, n), values in zip(rows, own.numpy(), strict=True):
                whole[b, n] = values
            points[-1].append(rounded(whole.tolist()))
    labels = {
        "class_labels": padded(classes, -100, places),
        "mask_labels": np.array(padded(masks, 0, places), int).tolist(),
    }
    return case(
        "PointMaskLoss",
        config,
        outputs,
        labels,
        [by_object(indices, places) for indices in matched],
        terms,
        weights,
        "auxiliary_logits",
        points=points,
    )


if __name__ == "__main__":
    torch.manual_seed(0)
    cases = {
        "detr": detection(detr, "Detr", [3, 1, 0], 4, 7, eos_coefficient=0.1),
        "detr, layers": detection(detr, "Detr", [2, 4], 5, 6, layers=3, eos_coefficient=0.2),
        "detr, masks": detection(detr, "Detr", [2, 3], 3, 5, layers=2, masks=True, eos_coefficient=0.1),
        "detr, more objects than queries": detection(detr, "Detr", [5, 2], 5, 3, eos_coefficient=0.1),
        "detr, no object at all": detection(detr, "Detr", [0, 0], 2, 4, eos_coefficient=0.1),
        "yolos": detection(yolos, "Yolos", [3, 2], 3, 6, eos_coefficient=0.1),
        "table transformer": detection(table_transformer, "TableTransformer", [1, 4], 4, 6, eos_coefficient=0.4),
        "deformable detr": detection(deformable_detr, "DeformableDetr", [3, 0, 2], 4, 7, focal_alpha=0.25),
        "deformable detr, layers": detection(deformable_detr, "DeformableDetr", [2, 3], 3, 5, 2, focal_alpha=0.4),
        "mask2former": segmentation([3, 2], 4, 5, 2),
    }
    lines = [f" {json.dumps(name)}: {json.dumps(values)}" for name, values in cases.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")

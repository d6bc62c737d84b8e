"""The losses of object detectors that predict a set of boxes, as the reference computes them.

Labels: `class_labels` (B, N) and `boxes` (B, N, 4) as (center x, center y, width, height) in parts of the picture;
for segmentation also `masks` (B, N, h, w) of 0 and 1. Shapes: B batch, Q queries, N objects.
"""

from keras import ops

from keras_tfm.training.losses import IGNORED
from keras_tfm.training.matching import (
    SetLoss,
    of_class,
    of_queries,
    softmax_class_costs,
    softmax_class_loss,
    sum_of_matched,
    wanted_classes,
)
from keras_tfm.training.segmentation import dice, focal, resized


class DetectionLoss(SetLoss):
    """DETR's (arXiv:2005.12872): cross entropy of the classes, and L1 and generalized IoU of the boxes; where the model
    predicts masks, their focal and dice losses, too, for the last layer alone.

    logits (B, Q, classes + 1), pred_boxes (B, Q, 4) and pred_masks (B, Q, h', w'). The configuration's fields say how
    much each counts: class_cost, bbox_cost, giou_cost in matching; bbox_loss_coefficient, giou_loss_coefficient,
    mask_loss_coefficient, dice_loss_coefficient, and eos_coefficient for queries that should find nothing.
    """

    predictions = ("logits", "pred_boxes", "pred_masks")

    def labels(self, outputs):
        return ["class_labels", "boxes"] + ["masks"] * ("pred_masks" in outputs)

    def weights(self):
        c = self.config
        return {
            "loss_ce": 1.0,
            "loss_bbox": c.bbox_loss_coefficient,
            "loss_giou": c.giou_loss_coefficient,
            "loss_mask": getattr(c, "mask_loss_coefficient", 0.0),
            "loss_dice": getattr(c, "dice_loss_coefficient", 0.0),
        }

    def costs(self, outputs, labels):
        c, predicted, boxes = self.config, outputs["pred_boxes"][:, :, None], real_boxes(labels)[:, None]
        distance = ops.sum(ops.abs(predicted - boxes), axis=-1)
        overlap = generalized_iou(corners(predicted), corners(boxes))
        classes = self.class_costs(outputs["logits"], labels["class_labels"])
        return c.bbox_cost * distance + c.class_cost * classes - c.giou_cost * overlap

    def terms(self, outputs, labels, matched, count):
        boxes, predicted = real_boxes(labels), of_queries(outputs["pred_boxes"], matched)
        distance = ops.sum(ops.abs(predicted - boxes), axis=-1)
        overlap = generalized_iou(corners(predicted), corners(boxes))
        terms = {
            "loss_ce": self.class_loss(outputs["logits"], labels["class_labels"], matched, count),
            "loss_bbox": sum_of_matched(distance, matched, count),
            "loss_giou": sum_of_matched(1 - overlap, matched, count),
        }
        if "pred_masks" in outputs:
            masks = ops.cast(labels["masks"], "float32")
            predicted = resized(of_queries(outputs["pred_masks"], matched), ops.shape(masks)[2:])
            losses = ops.mean(focal(predicted, masks, 0.25), axis=(2, 3))
            terms["loss_mask"] = sum_of_matched(losses, matched, count)
            terms["loss_dice"] = sum_of_matched(dice(predicted, masks), matched, count)
        return terms

    def class_costs(self, logits, classes):
        """logits (B, Q, classes + 1), class_labels (B, N) -> (B, Q, N)."""
        return softmax_class_costs(logits, classes)

    def class_loss(self, logits, classes, matched, count):
        """logits (B, Q, classes + 1), class_labels (B, N), the objects' queries (B, N) -> a scalar."""
        return softmax_class_loss(logits, classes, matched, self.config.eos_coefficient)


class FocalDetectionLoss(DetectionLoss):
    """Deformable DETR's (arXiv:2010.04159): the same, but for focal losses of the classes, each on its own: logits
    (B, Q, classes). `focal_alpha` is the weight of a class that is there, against those that are not; matching has
    its own, 0.25."""

    def class_costs(self, logits, classes):
        right = ops.sigmoid(logits)
        wrong = 1 - right
        there = 0.25 * wrong**2 * -ops.log(right + 1e-8)
        not_there = 0.75 * right**2 * -ops.log(wrong + 1e-8)
        return of_class(there - not_there, classes)

    def class_loss(self, logits, classes, matched, count):
        kinds = logits.shape[-1]
        wanted = wanted_classes(logits, classes, matched, kinds)
        wanted = ops.cast(wanted[..., None] == ops.arange(kinds), logits.dtype)  # (B, Q, classes)
        return ops.sum(focal(logits, wanted, self.config.focal_alpha)) / count


def real_boxes(labels):
    """The boxes (B, N, 4); those of no object have a size, so that nothing is divided by 0."""
    real = ops.not_equal(labels["class_labels"], IGNORED)
    return ops.where(real[..., None], ops.cast(labels["boxes"], "float32"), 0.5)


def corners(boxes):
    """boxes (.., 4) as center and size -> the same as left, top, right, bottom."""
    center, half = boxes[..., :2], boxes[..., 2:] / 2
    return ops.concatenate([center - half, center + half], axis=-1)


def center_and_size(boxes):
    """boxes (.., 4) as left, top, right, bottom -> the same as center and size."""
    first, last = boxes[..., :2], boxes[..., 2:]
    return ops.concatenate([(first + last) / 2, last - first], axis=-1)


def iou(boxes, others):
    """boxes (.., 4) by their corners, and others that broadcast -> the parts (..,) of their unions where they overlap,
    and the unions' areas (..,)."""
    overlap = _area(ops.maximum(boxes[..., :2], others[..., :2]), ops.minimum(boxes[..., 2:], others[..., 2:]))
    union = _area(boxes[..., :2], boxes[..., 2:]) + _area(others[..., :2], others[..., 2:]) - overlap
    return overlap / union, union


def generalized_iou(boxes, others):
    """boxes (.., 4) by their corners, and others that broadcast -> (..,), -1 to 1 (arXiv:1902.09630): less than 0, the
    further they are apart."""
    overlap, union = iou(boxes, others)
    around = _area(ops.minimum(boxes[..., :2], others[..., :2]), ops.maximum(boxes[..., 2:], others[..., 2:]))
    return overlap - (around - union) / around


def _area(first, last):
    size = ops.maximum(last - first, 0.0)
    return size[..., 0] * size[..., 1]

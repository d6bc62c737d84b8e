"""The losses of models that predict masks, as the reference computes them.

Shapes: B batch, Q queries, N objects, h and w the height and width of masks, P points.
"""

from keras import ops

from keras_tfm.layers.images import channels_first, channels_last, resize
from keras_tfm.layers.sampling import sample
from keras_tfm.training.matching import (
    SetLoss,
    of_queries,
    softmax_class_costs,
    softmax_class_loss,
    sum_of_matched,
)


class PointMaskLoss(SetLoss):
    """Mask2Former's (arXiv:2112.01527): cross entropy of the classes, binary cross entropy and dice of the masks, which
    are compared at random points: the same ones for all masks of a picture in matching, and for each object's own
    loss mostly those where its mask is least certain.

    class_queries_logits (B, Q, classes + 1), masks_queries_logits (B, Q, h', w'); labels `class_labels` (B, N) and
    `mask_labels` (B, N, h, w) of 0 and 1.

    Args:
        config: its fields class_weight, mask_weight, dice_weight say how much each counts, no_object_weight how much
            queries that should find nothing; train_num_points is P, importance_sample_ratio the part of these that is
            chosen as uncertain among oversample_ratio times as many.
        draw: a function that draws numbers of a shape, evenly from 0 to 1.
    """

    predictions = ("class_queries_logits", "masks_queries_logits")
    auxiliary = "auxiliary_logits"

    def __init__(self, config, draw):
        super().__init__(config)
        self.draw = draw

    def labels(self, outputs):
        return ["class_labels", "mask_labels"]

    def weights(self):
        c = self.config
        return {"loss_cross_entropy": c.class_weight, "loss_mask": c.mask_weight, "loss_dice": c.dice_weight}

    def costs(self, outputs, labels):
        c, masks = self.config, ops.cast(labels["mask_labels"], "float32")
        points = self.draw((ops.shape(masks)[0], c.train_num_points, 2))
        predicted, masks = (sample(channels_last(m), points) for m in (outputs["masks_queries_logits"], masks))
        predicted, chances, masks = (ops.transpose(m, (0, 2, 1)) for m in (predicted, ops.sigmoid(predicted), masks))
        entropy = ops.sum(ops.softplus(predicted), axis=2)[..., None] - _products(predicted, masks)
        together = ops.sum(chances, axis=2)[..., None] + ops.sum(masks, axis=2)[:, None]
        dices = 1 - (2 * _products(chances, masks) + 1) / (together + 1)
        classes = softmax_class_costs(outputs["class_queries_logits"], labels["class_labels"])
        return classes + c.mask_weight * entropy / c.train_num_points + c.dice_weight * dices

    def terms(self, outputs, labels, matched, count):
        logits, classes = outputs["class_queries_logits"], labels["class_labels"]
        predicted = of_queries(outputs["masks_queries_logits"], matched)
        points = self.uncertain_points(ops.stop_gradient(predicted))
        predicted = sample_each(predicted, points)
        masks = sample_each(ops.cast(labels["mask_labels"], "float32"), points)
        entropy = ops.mean(binary_cross_entropy(predicted, masks), axis=2)
        return {
            "loss_cross_entropy": softmax_class_loss(logits, classes, matched, self.config.no_object_weight),
            "loss_mask": sum_of_matched(entropy, matched, count),
            "loss_dice": sum_of_matched(dice(predicted, masks), matched, count),
        }

    def uncertain_points(self, masks):
        """masks (B, N, h, w), as logits -> points (B, N, P, 2), most of them where the logits are near to 0."""
        c, (batch, objects) = self.config, ops.shape(masks)[:2]
        uncertain = int(c.importance_sample_ratio * c.train_num_points)
        points = self.draw((batch, objects, int(c.oversample_ratio * c.train_num_points), 2))
        _, nearest = ops.top_k(-ops.abs(sample_each(masks, points)), uncertain)
        points = ops.take_along_axis(points, ops.cast(nearest, "int32")[..., None], axis=2)
        others = self.draw((batch, objects, c.train_num_points - uncertain, 2))
        return ops.concatenate([points, others], axis=2)


def binary_cross_entropy(logits, wanted):
    """logits and wanted (..,), from 0 to 1 -> (..,)."""
    return ops.softplus(logits) - logits * wanted


def focal(logits, wanted, alpha):
    """Focal losses (arXiv:1708.02002): binary cross entropy, less where the answer is nearly right.

    logits and wanted (..,), 0 or 1 -> (..,). `alpha` is the weight of the ones, 1 - alpha that of the zeros; both are
    1 if it is negative.
    """
    chances = ops.sigmoid(logits)
    wrong = chances * (1 - wanted) + (1 - chances) * wanted
    losses = binary_cross_entropy(logits, wanted) * wrong**2
    return losses if alpha < 0 else losses * (alpha * wanted + (1 - alpha) * (1 - wanted))


def dice(logits, wanted):
    """Dice losses: how little masks overlap. logits and wanted (B, N, ..), 0 or 1 -> (B, N)."""
    chances, axes = ops.sigmoid(logits), tuple(range(2, len(logits.shape)))
    overlap, together = ops.sum(chances * wanted, axis=axes), ops.sum(chances + wanted, axis=axes)
    return 1 - (2 * overlap + 1) / (together + 1)


def resized(masks, size):
    """masks (B, N, h, w) -> (B, N, *size)."""
    return channels_first(resize(channels_last(masks), size))


def sample_each(masks, points):
    """masks (B, N, h, w), each at its own points (B, N, P, 2) -> (B, N, P)."""
    batch, objects, height, width = ops.shape(masks)
    flat = ops.reshape(points, (batch * objects, ops.shape(points)[2], 2))
    return ops.reshape(sample(ops.reshape(masks, (-1, height, width, 1)), flat), (batch, objects, -1))


def _products(x, y):
    """x (B, Q, P), y (B, N, P) -> (B, Q, N)."""
    return ops.matmul(x, ops.transpose(y, (0, 2, 1)))

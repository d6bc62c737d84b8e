"""Heads that predict a set of objects: what trains them.

Labels are given to `fit` as a dict by the reference's names, of fixed arrays: `class_labels` (B, N), -100 where a
picture has fewer than N objects, and one row each for those in the others.
"""

from keras import ops, random
from keras.layers import Dense

from keras_tfm.layers.base import Layer
from keras_tfm.layers.heads import Task
from keras_tfm.training.detection import DetectionLoss
from keras_tfm.training.segmentation import PointMaskLoss


class SetPrediction(Task):
    """A model that predicts a set. Subclasses make the loss that it learns by in `set_loss`; a loss that is given to
    `compile` takes its place.

    Raises, in training:
        ValueError: labels are missing, or there are sample weights, since objects have none.
    """

    labels = {}

    def set_loss(self):
        """The task's own loss: a `SetLoss`."""
        raise NotImplementedError

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self.loss is not None:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        name, loss = type(self).__name__, self.set_loss()
        labels = loss.labels(y_pred)
        if not isinstance(y, dict) or not set(labels) <= set(y):
            given = f"a dict of {', '.join(y)}" if isinstance(y, dict) else "what is no dict"
            raise ValueError(f"{name} learns from a dict of {', '.join(labels)}, not from {given}")
        if sample_weight is not None:
            raise ValueError(f"{name} takes no sample_weight, since its labels are matched: leave it out")
        return sum((ops.sum(other) for other in self.losses), loss(y_pred, y))


class ObjectDetection(SetPrediction):
    """Finds objects: logits (B, Q, classes + 1), the last of which stands for nothing, and pred_boxes (B, Q, 4) as
    (center x, center y, width, height) in parts of the picture; with the configuration's `auxiliary_loss` also
    `auxiliary_outputs`, a tuple of such dicts, of the layers before the last.

    It learns from `class_labels` (B, N) and `boxes` (B, N, 4); one that predicts `pred_masks` (B, Q, h, w), too, from
    `masks` (B, N, height, width) besides.
    """

    loss_class = DetectionLoss

    def set_loss(self):
        return self.loss_class(self.config)


class UniversalSegmentation(SetPrediction):
    """Finds segments: class_queries_logits (B, Q, classes + 1), masks_queries_logits (B, Q, h, w), and as
    `auxiliary_logits` a tuple of such dicts, of the layers before the last.

    It learns from `class_labels` (B, N) and `mask_labels` (B, N, height, width), compared at random points.
    """

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.points = random.SeedGenerator()

    def set_loss(self):
        return PointMaskLoss(self.config, lambda shape: random.uniform(shape, seed=self.points))


class DeepHead(Layer):
    """Dense layers, with ReLUs between them.

    Args:
        width: of the layers but the last.
        units: of the last.
        depth: how many layers there are.
    """

    def __init__(self, width, units, depth=3, **kwargs):
        super().__init__(**kwargs)
        self.dense = [Dense(width, activation="relu") for _ in range(depth - 1)] + [Dense(units)]

    def call(self, x):
        """x (.., D) -> (.., units)."""
        for dense in self.dense:
            x = dense(x)
        return x

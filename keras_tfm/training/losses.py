"""The reference's losses, as Keras losses: what `compile(optimizer)` trains each head with."""

import keras
from keras import ops

from keras_tfm.layers.images import channels_last, resize

IGNORED = -100


class _Loss(keras.losses.Loss):
    """A loss in float32: in a shorter type neither sums over a vocabulary nor labels, which are integers, are exact."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable("keras_tfm")(cls)

    def __init__(self, name, **kwargs):
        super().__init__(name=name, **{"dtype": "float32", **kwargs})


class TokenCrossEntropy(_Loss):
    """Cross entropy averaged over the labels that are not -100; 0 where all of them are.

    labels (..,) integers and logits (.., classes) -> a scalar.

    Args:
        shift: True for causal language models: the logits at a token are compared with the next label.
    """

    def __init__(self, shift=False, name="token_cross_entropy", **kwargs):
        super().__init__(name, **kwargs)
        self.shift = shift

    def call(self, y_true, y_pred):
        y_true = ops.cast(ops.reshape(y_true, ops.shape(y_pred)[:-1]), "int32")
        if self.shift:
            y_true, y_pred = y_true[..., 1:], y_pred[..., :-1, :]
        counted = ops.not_equal(y_true, IGNORED)
        losses = ops.sparse_categorical_crossentropy(ops.where(counted, y_true, 0), y_pred, from_logits=True)
        return average(losses, counted)

    def get_config(self):
        return {**super().get_config(), "shift": self.shift}


def average(losses, counted):
    """What Keras, which averages over all labels, makes the average over the counted ones."""
    counted = ops.cast(counted, losses.dtype)
    return losses * counted / ops.maximum(ops.mean(counted), 1e-9)


class SegmentationLoss(_Loss):
    """Cross entropy averaged over the pixels whose labels are not `ignored`.

    labels (B, h, w) integers and logits (B, classes, h', w'), which are resized to h x w -> a scalar.

    Args:
        ignored: the label of pixels that do not count. Default 255.
    """

    def __init__(self, ignored=255, name="segmentation_loss", **kwargs):
        super().__init__(name, **kwargs)
        self.ignored = ignored

    def call(self, y_true, y_pred):
        y_pred = resize(channels_last(y_pred), ops.shape(y_true)[1:3])
        return TokenCrossEntropy().call(ops.where(ops.equal(y_true, self.ignored), IGNORED, y_true), y_pred)

    def get_config(self):
        return {**super().get_config(), "ignored": self.ignored}


class BinarySegmentationLoss(SegmentationLoss):
    """Cross entropy of a single class, of the pixels whose labels are not `ignored`, averaged over all pixels.

    labels (B, h, w) of 0 and 1 and logits (B, 1, h', w'), which are resized to h x w -> a scalar.

    Args:
        ignored: the label of pixels that do not count. Default 255.
    """

    def __init__(self, ignored=255, name="binary_segmentation_loss", **kwargs):
        super().__init__(ignored, name, **kwargs)

    def call(self, y_true, y_pred):
        y_pred = resize(channels_last(y_pred), ops.shape(y_true)[1:3])[..., 0]
        counted = ops.cast(ops.not_equal(y_true, self.ignored), y_pred.dtype)
        losses = ops.binary_crossentropy(ops.cast(y_true, y_pred.dtype) * counted, y_pred, from_logits=True)
        return ops.mean(losses * counted)


class TokenBinaryCrossEntropy(_Loss):
    """Binary cross entropy averaged over the labels that are not -100; 0 where all of them are.

    labels (..,) of 0 and 1, and logits of the same shape -> a scalar.
    """

    def __init__(self, name="token_binary_cross_entropy", **kwargs):
        super().__init__(name, **kwargs)

    def call(self, y_true, y_pred):
        counted = ops.not_equal(y_true, IGNORED)
        return average(ops.binary_crossentropy(ops.where(counted, y_true, 0), y_pred, from_logits=True), counted)


class BatchCrossEntropy(_Loss):
    """Cross entropy of choosing one text of the batch, averaged over those that would have been right.

    labels (B,), 1 for a right one, else 0, and logits (B,) -> a scalar.
    """

    def __init__(self, name="batch_cross_entropy", **kwargs):
        super().__init__(name, **kwargs)

    def call(self, y_true, y_pred):
        right = ops.reshape(y_true, ops.shape(y_pred))
        return -ops.sum(right * ops.log_softmax(y_pred, axis=0)) / ops.maximum(ops.sum(right), 1)


class PositionCrossEntropy(TokenCrossEntropy):
    """Half the cross entropy of a token's position; with one for the start and one for the end, the sum is their mean.

    labels (B,) integers and logits (B, T) -> a scalar. Answers that begin or end behind the last token are ignored,
    negative positions are taken for the first token.
    """

    def __init__(self, name="position_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        inside = y_true < ops.shape(y_pred)[-1]
        return super().call(ops.where(inside, ops.maximum(y_true, 0), IGNORED), y_pred) / 2

    def get_config(self):
        config = super().get_config()
        del config["shift"]
        return config


class ClassificationLoss(_Loss):
    """A sequence classifier's loss: squared error, cross entropy or binary cross entropy, by the kind of problem.

    labels (B,), for several labels a text and for several regressions (B, num_labels), and logits (B, num_labels)
    -> a scalar.

    Args:
        num_labels: the number of classes.
        problem_type: "regression", "single_label_classification" or "multi_label_classification". Default None:
            regression if there is one label, multi-label if the labels come as (B, num_labels), else single-label.
    """

    def __init__(self, num_labels, problem_type=None, name="classification_loss", **kwargs):
        super().__init__(name, **kwargs)
        self.num_labels, self.problem_type = num_labels, problem_type

    def call(self, y_true, y_pred):
        problem = self.problem_type
        if problem is None and self.num_labels == 1:
            problem = "regression"
        if problem is None and len(y_true.shape) == 2 and y_true.shape[-1] == self.num_labels:
            problem = "multi_label_classification"
        if problem == "regression":
            return keras.losses.mean_squared_error(ops.reshape(y_true, ops.shape(y_pred)), y_pred)
        if problem == "multi_label_classification":
            return keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)
        return TokenCrossEntropy().call(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "num_labels": self.num_labels, "problem_type": self.problem_type}

"""The reference's losses, as Keras losses: what `compile(optimizer)` trains each head with."""

import keras
from keras import ops

IGNORED = -100


@keras.saving.register_keras_serializable("keras_tfm")
class TokenCrossEntropy(keras.losses.Loss):
    """Cross entropy averaged over the labels that are not -100.

    labels (..,) integers and logits (.., classes) -> a scalar (mean over the counted labels).

    Args:
        shift: True for causal language models: the logits at a token are compared with the next label.
    """

    def __init__(self, shift=False, name="token_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.shift = shift

    def call(self, y_true, y_pred):
        if self.shift:
            y_true, y_pred = y_true[:, 1:], y_pred[:, :-1]
        y_true = ops.cast(y_true, "int32")
        counted = ops.not_equal(y_true, IGNORED)
        losses = ops.sparse_categorical_crossentropy(ops.where(counted, y_true, 0), y_pred, from_logits=True)
        counted = ops.cast(counted, losses.dtype)
        # Keras averages over all labels; this makes it the average over the counted ones.
        return losses * counted / ops.maximum(ops.mean(counted), 1e-9)

    def get_config(self):
        return {**super().get_config(), "shift": self.shift}


@keras.saving.register_keras_serializable("keras_tfm")
class ClassificationLoss(keras.losses.Loss):
    """A sequence classifier's loss: squared error, cross entropy or binary cross entropy, by the kind of problem.

    Args:
        num_labels: the number of classes.
        problem_type: "regression", "single_label_classification" or "multi_label_classification". Default None:
            regression if there is one label, multi-label if the labels come as (B, num_labels), else single-label.
    """

    def __init__(self, num_labels, problem_type=None, name="classification_loss", **kwargs):
        super().__init__(name=name, **kwargs)
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
        return TokenCrossEntropy().call(ops.reshape(y_true, ops.shape(y_pred)[:1]), y_pred)

    def get_config(self):
        return {**super().get_config(), "num_labels": self.num_labels, "problem_type": self.problem_type}

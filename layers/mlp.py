"""Feed-forward layers."""

from keras.layers import Dense

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer


class MLP(Layer):
    """Two dense layers with an activation between them: down(act(up(x))).

    Args:
        width: D, of input and output.
        hidden: the inner width.
        act: the activation, by its name in `config.json`.
    """

    def __init__(self, width, hidden, act="gelu", **kwargs):
        super().__init__(**kwargs)
        self.up = Dense(hidden)
        self.activation = activation(act)
        self.down = Dense(width)

    def call(self, x):
        """x (.., D) -> (.., D)."""
        return self.down(self.activation(self.up(x)))

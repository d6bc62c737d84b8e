"""Feed-forward layers."""

from keras.layers import Dense

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer


class GatedMLP(Layer):
    """An MLP whose inner values are multiplied by gates: down(act(gate(x)) * up(x)) (arXiv:2002.05202).

    Args:
        width: D, of input and output.
        hidden: the inner width.
        act: the activation of the gates, by its name in `config.json`.
        bias: whether the three layers have biases.
    """

    def __init__(self, width, hidden, act="silu", bias=False, **kwargs):
        super().__init__(**kwargs)
        self.gate, self.up = Dense(hidden, use_bias=bias), Dense(hidden, use_bias=bias)
        self.activation = activation(act)
        self.down = Dense(width, use_bias=bias)

    def call(self, x):
        """x (.., D) -> (.., D)."""
        return self.down(self.activation(self.gate(x)) * self.up(x))


class MLP(Layer):
    """Two dense layers with an activation between them: down(act(up(x))).

    Args:
        width: D, of input and output.
        hidden: the inner width.
        act: the activation, by its name in `config.json`.
        bias: whether the two layers have biases.
    """

    def __init__(self, width, hidden, act="gelu", bias=True, **kwargs):
        super().__init__(**kwargs)
        self.up = Dense(hidden, use_bias=bias)
        self.activation = activation(act)
        self.down = Dense(width, use_bias=bias)

    def call(self, x):
        """x (.., D) -> (.., D)."""
        return self.down(self.activation(self.up(x)))

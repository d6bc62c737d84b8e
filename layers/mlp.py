"""Feed-forward layers."""

from keras.layers import Dense, Dropout

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer


class GatedMLP(Layer):
    """An MLP whose inner values are multiplied by gates: down(act(gate(x)) * up(x)) (arXiv:2002.05202).

    Args:
        width: D, of input and output.
        hidden: the inner width.
        act: the activation of the gates, by its name in `config.json`.
        bias: whether the three layers have biases.
        dropout: the rate at which the inner values are dropped in training.
    """

    def __init__(self, width, hidden, act="silu", bias=False, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.gate, self.up = Dense(hidden, use_bias=bias), Dense(hidden, use_bias=bias)
        self.activation = activation(act)
        self.dropout = Dropout(dropout)
        self.down = Dense(width, use_bias=bias)

    def call(self, x):
        """x (.., D) -> (.., D)."""
        return self.down(self.dropout(self.activation(self.gate(x)) * self.up(x)))


class MLP(Layer):
    """Two dense layers with an activation between them: down(act(up(x))).

    Args:
        width: D, of input and output.
        hidden: the inner width.
        act: the activation, by its name in `config.json`.
        bias: whether the two layers have biases.
        dropout: the rate at which the inner values are dropped in training.
    """

    def __init__(self, width, hidden, act="gelu", bias=True, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.up = Dense(hidden, use_bias=bias)
        self.activation = activation(act)
        self.dropout = Dropout(dropout)
        self.down = Dense(width, use_bias=bias)

    def call(self, x):
        """x (.., D) -> (.., D)."""
        return self.down(self.dropout(self.activation(self.up(x))))

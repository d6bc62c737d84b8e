"""The activation functions that checkpoints name (`hidden_act`)."""

import functools

from keras import ops

_gelu_tanh = functools.partial(ops.gelu, approximate=True)

ACTIVATIONS = {
    "gelu": functools.partial(ops.gelu, approximate=False),
    "gelu_python": functools.partial(ops.gelu, approximate=False),
    "gelu_new": _gelu_tanh,
    "gelu_fast": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "gelu_accurate": _gelu_tanh,
    "gelu_10": lambda x: ops.clip(ops.gelu(x, approximate=False), -10, 10),
    "quick_gelu": lambda x: x * ops.sigmoid(1.702 * x),
    "leaky_relu": functools.partial(ops.leaky_relu, negative_slope=0.01),
    "linear": lambda x: x,
    "mish": lambda x: x * ops.tanh(ops.softplus(x)),
    "relu": ops.relu,
    "relu2": lambda x: ops.square(ops.relu(x)),
    "relu6": ops.relu6,
    "sigmoid": ops.sigmoid,
    "silu": ops.silu,
    "swish": ops.silu,
    "tanh": ops.tanh,
}


def activation(name):
    """The function that `config.json` calls `name`.

    Raises:
        ValueError: no such activation.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]

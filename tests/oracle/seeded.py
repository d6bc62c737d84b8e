"""Weights that both sides can make: seeded from the tensor's name, so that fixtures store none. NumPy only."""

import zlib

import numpy as np


def weights(name, shape, factors=()):
    """The float32 values of the tensor `name`. Nothing is zero or one, so that swapped rows and tables show.

    Matrices are scaled by their last size, kernels of convolutions by all but the first; vectors that multiply (norms'
    weights, variances) lie around 1.
    `factors`: {end of a name: what is multiplied by it}, where the values would be too small to matter.
    """
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, "int64")
    rng = np.random.RandomState(zlib.crc32(name.encode()))  # the same in every version of NumPy
    values = rng.standard_normal(shape) * next((factors[end] for end in factors if name.endswith(end)), 1)
    if len(shape) > 3 and name.endswith("weight"):
        values = values / np.sqrt(np.prod(shape[1:]))  # a convolution sums over all but the first
    elif len(shape) > 1:
        values = values / np.sqrt(shape[-1])
    elif name.endswith(("weight", "gamma", "running_var")):
        values = 1 + 0.2 * np.tanh(values)
    else:
        values = 0.2 * values
    return values.astype("float32")


def integers(name, shape, low, high):
    """Seeded int64 values from `low` up to, not including, `high`."""
    return np.random.RandomState(zlib.crc32(name.encode())).randint(low, high, shape).astype("int64")

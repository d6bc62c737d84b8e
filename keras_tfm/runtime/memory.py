"""Writing into tensors."""

import keras
from keras import ops


def write_slice(stored, new, start):
    """stored (B, S, ..) with new (B, T, ..) in the place of what stands there from `start` on, an int or a tensor.

    Keras does it with one operation, except on torch, which it gives an index for each number.
    """
    if keras.backend.backend() != "torch":
        return ops.slice_update(stored, (0, start, *(0 for _ in stored.shape[2:])), new)
    import torch

    return torch.index_copy(stored, 1, start + torch.arange(new.shape[1], device=stored.device), new)

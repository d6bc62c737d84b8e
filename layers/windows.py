"""Windows: squares of a map, whose tokens look at each other alone (arXiv:2103.14030, arXiv:2111.09883).

Shapes: B batch, h and w the height and width of a map, W the side of a window, N the windows of a map, D width, H
heads, C channels a head.
"""

import math

import numpy as np
from keras import ops
from keras.initializers import Constant, Zeros
from keras.layers import Dense

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.images import pad_to_multiple


def partition(maps, side):
    """maps (B, h, w, D), h and w multiples of W -> windows (B * N, W * W, D), row by row."""
    batch, height, width = ops.shape(maps)[:3]
    squares = ops.reshape(maps, (batch, height // side, side, width // side, side, maps.shape[3]))
    return ops.reshape(ops.transpose(squares, (0, 1, 3, 2, 4, 5)), (-1, side * side, maps.shape[3]))


def merge(windows, side, height, width):
    """windows (B * N, W * W, D) -> maps (B, h, w, D)."""
    squares = ops.reshape(windows, (-1, height // side, width // side, side, side, windows.shape[2]))
    return ops.reshape(ops.transpose(squares, (0, 1, 3, 2, 4, 5)), (-1, height, width, windows.shape[2]))


def attend_in_windows(attention, maps, side, shift=0, weights=False):
    """Attention in each window of a map.

    Args:
        attention: an `Attention`.
        maps: (B, h, w, D) of any size: zeros below and on the right fill the last windows.
        side: W.
        shift: by how much the windows are moved, down and to the right, those at the end going on at the beginning;
            there, tokens look only at those that were their neighbours. An int or a scalar tensor.
        weights: whether to return the attention weights.

    Returns:
        maps (B, h, w, D), and the weights (B * N, H, W * W, W * W) or None.
    """
    height, width = ops.shape(maps)[1:3]
    padded, attend = pad_to_multiple(maps, side, side), None
    batch, rows, columns = ops.shape(padded)[:3]
    shifts = not (isinstance(shift, int) and shift == 0)
    if shifts:
        padded = ops.roll(padded, (-shift, -shift), (1, 2))
        attend = ops.tile(neighbours(rows, columns, side, shift), (batch, 1, 1, 1))
    y, _, seen = attention(partition(padded, side), attend=attend, weights=weights)
    y = merge(y, side, rows, columns)
    if shifts:
        y = ops.roll(y, (shift, shift), (1, 2))
    return y[:, :height, :width], seen


def neighbours(height, width, side, shift):
    """Which tokens of a window may look at which, where windows have been moved: bool (N, 1, W * W, W * W)."""

    def parts(size):
        """0 in whole windows; of the last, 1 what lies at the end of the map and 2 what comes from its beginning."""
        places = ops.arange(size)
        last, moved = places >= size - side, places >= size - shift
        return ops.cast(last, "int32") + ops.cast(moved, "int32")

    part = 3 * parts(height)[:, None] + parts(width)
    part = partition(part[None, :, :, None], side)
    return ops.equal(part, ops.transpose(part, (0, 2, 1)))[:, None]


def shift_if_several(maps, side, shift):
    """`shift`, or 0 where a map (B, h, w, D) is one window high or wide: an int if its sizes are."""
    height, width = ops.shape(maps)[1:3]
    if isinstance(height, int) and isinstance(width, int):
        return shift if min(height, width) > side else 0
    return ops.where(ops.minimum(height, width) > side, shift, 0)


def relative_places(side):
    """How the tokens of a window lie to each other, as places in a table of (2 W - 1)² rows: (W * W, W * W)."""
    row, column = np.divmod(np.arange(side * side), side)
    rows, columns = (x[:, None] - x[None] + side - 1 for x in (row, column))
    return rows * (2 * side - 1) + columns


def bias_by_place(table, side):
    """table ((2 W - 1)², H) -> what is added to the scores, (1, H, W * W, W * W)."""
    bias = ops.take(table, relative_places(side), axis=0)
    return ops.transpose(bias, (2, 0, 1))[None]


class WindowAttention(Attention):
    """Attention in windows, with a learned bias for every way in which two tokens can lie to each other.

    Args:
        width, heads, bias, dropout: as of `Attention`. The output projection has a bias in any case.
        side: W.
    """

    def __init__(self, width, heads, side, **options):
        super().__init__(width, heads, project_bias=True, **options)
        self.side = side
        self.relative_position_bias_table_initializer = Zeros()

    def build(self, *shapes):
        self.relative_position_bias_table = self.add_weight(
            name="relative_position_bias_table",
            shape=((2 * self.side - 1) ** 2, self.heads),
            initializer=self.relative_position_bias_table_initializer,
        )

    @property
    def constants(self):
        """What checkpoints store beside the variables."""
        return {"relative_position_index": relative_places(self.side)}

    def score_bias(self, query, key, start):
        return bias_by_place(ops.cast(self.relative_position_bias_table, query.dtype), self.side)


class CosineWindowAttention(Attention):
    """Attention in windows by the angle between queries and keys, with a bias that an MLP computes from distances, so
    that what was learned with one side of windows goes on with another.

    Args:
        width, heads, bias, dropout: as of `Attention`. Keys have no bias, the output projection has one in any case.
        side: W.
        learned_side: W of the checkpoint that this one began from. Default: the same.
    """

    def __init__(self, width, heads, side, learned_side=0, **options):
        norms = {"query_norm": ScaledLength(heads), "key_norm": unit_length}
        super().__init__(width, heads, project_bias=True, key_bias=False, scale=1.0, **norms, **options)
        self.side = side
        self.places = log_places(side, learned_side or side)
        self.relative = PlaceBias(heads)

    def score_bias(self, query, key, start):
        return bias_by_place(16 * ops.sigmoid(self.relative(ops.cast(self.places, query.dtype))), self.side)


def log_places(side, learned_side):
    """The ways in which two tokens of a window can lie to each other, as logarithms of distances: ((2 W - 1)², 2)."""
    distances = 8 * np.arange(1 - side, side) / max(learned_side - 1, 1)
    logs = np.sign(distances) * np.log2(1 + np.abs(distances)) / math.log2(8)
    return np.stack(np.meshgrid(logs, logs, indexing="ij"), axis=-1).reshape(-1, 2).astype("float32")


class PlaceBias(Layer):
    """A bias for each head, from how two tokens lie to each other."""

    def __init__(self, heads, hidden=512, **kwargs):
        super().__init__(**kwargs)
        self.up = Dense(hidden, activation="relu")
        self.down = Dense(heads, use_bias=False)

    def call(self, places):
        """places (.., 2) -> (.., H)."""
        return self.down(self.up(places))


def unit_length(x):
    """x (B, T, H, C), each head's channels divided by their length."""
    length = ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))
    return x / ops.maximum(length, 1e-12)


class ScaledLength(Layer):
    """The same, multiplied by a learned factor for each head, which begins at 10 and is at most 100."""

    def __init__(self, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.logit_scale_initializer = Constant(math.log(10))

    def build(self, shape):
        self.logit_scale = self.add_weight(
            name="logit_scale", shape=(self.heads, 1, 1), initializer=self.logit_scale_initializer
        )

    def call(self, x):
        """x (B, T, H, C) -> the same shape."""
        scale = ops.exp(ops.minimum(self.logit_scale, math.log(100)))
        return unit_length(x) * ops.cast(ops.reshape(scale, (self.heads, 1)), x.dtype)

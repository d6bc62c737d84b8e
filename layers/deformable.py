"""Attention to a few points of several maps (arXiv:2010.04159).

Shapes: B batch, T queries, L maps ("levels") of h x w, S their pixels together, D width, H heads, C channels a head,
P points of a head in each map.
"""

import math

import keras
import numpy as np
from keras import ops
from keras.initializers import Initializer
from keras.layers import Dense

from keras_tfm.layers.base import Layer
from keras_tfm.layers.sampling import sample


class DeformableAttention(Layer):
    """Each query looks at points around a place of its own, in every map; where they lie and how much each counts is
    told by the query alone.

    Args:
        width: D.
        heads: H.
        levels: L.
        points: P.
    """

    def __init__(self, width, heads, levels=4, points=4, **kwargs):
        super().__init__(**kwargs)
        if width % heads:
            raise ValueError(f"the width {width} is no multiple of the number of heads {heads}")
        self.heads, self.levels, self.points = heads, levels, points
        self.offsets = Dense(
            heads * levels * points * 2, kernel_initializer="zeros", bias_initializer=Rays(heads, levels, points)
        )
        self.score = Dense(heads * levels * points, kernel_initializer="zeros")
        self.value, self.project = Dense(width), Dense(width)

    def call(self, x, pixels, places, sizes, real=None):
        """x (B, T, D) -> (B, T, D), and how much each point counts, (B, T, H, L, P).

        Args:
            pixels: (B, S, D), those of the maps one behind the other, each row by row.
            places: (B or 1, T, L or 1, 2), where each query looks in each map: x and y, from 0 to 1. With two numbers
                more, the width and height of a box around, in whose size distances are measured; else, in pixels.
            sizes: [(h, w) of each map].
            real: bool (B, S), False for padding. Default: all are.
        """
        batch, queries = ops.shape(x)[:2]
        value = self.value(pixels)
        if real is not None:
            value = ops.where(real[..., None], value, 0.0)
        channels = value.shape[2] // self.heads
        value = ops.transpose(ops.reshape(value, (batch, -1, self.heads, channels)), (0, 2, 1, 3))

        points = self.levels, self.points
        offsets = ops.reshape(self.offsets(x), (batch, queries, self.heads, *points, 2))
        counts = ops.softmax(ops.reshape(self.score(x), (batch, queries, self.heads, math.prod(points))))
        counts = ops.reshape(counts, (batch, queries, self.heads, *points))

        places, begin, seen = places[:, :, None, :, None], 0, 0.0
        if places.shape[-1] == 4:
            offsets = offsets / self.points * places[..., 2:] * 0.5
        else:
            scale = ops.stack([ops.stack([ops.cast(n, x.dtype) for n in (w, h)]) for h, w in sizes])
            offsets = offsets / scale[:, None]
        looked_at = ops.transpose(places[..., :2] + offsets, (3, 0, 2, 1, 4, 5))  # (L, B, H, T, P, 2)
        for i, (height, width) in enumerate(sizes):
            maps = ops.reshape(value[:, :, begin : begin + height * width], (-1, height, width, channels))
            found = sample(maps, ops.reshape(looked_at[i], (-1, queries * self.points, 2)))
            found = ops.reshape(found, (batch, self.heads, queries, self.points, channels))
            seen = seen + ops.einsum("bhtpc,bthp->bthc", found, counts[:, :, :, i])
            begin = begin + height * width
        return self.project(ops.reshape(seen, (batch, queries, self.heads * channels))), counts


def pixel_places(sizes, real=None):
    """The middles of the pixels of maps, [(h, w) of each] -> (1 or B, S, 1, 2), x and y from 0 to 1.

    Args:
        real: (B, L, 2), how many pixels in a row and in a column of each map are no padding: there, 1 is their end.
    """
    if real is None:
        real = ops.stack([ops.stack([ops.cast(n, "float32") for n in (w, h)]) for h, w in sizes])[None]
    places = []
    for i, size in enumerate(sizes):
        y, x = (ops.arange(n, dtype="float32") + 0.5 for n in size)
        places.append(ops.reshape(ops.stack(ops.meshgrid(x, y), axis=-1), (1, -1, 2)) / real[:, i : i + 1])
    return ops.concatenate(places, axis=1)[:, :, None]


@keras.saving.register_keras_serializable("keras_tfm")
class Rays(Initializer):
    """Points to begin with: each head looks in a direction of its own, the first of its points one pixel away, the
    second two, and so on; the same in every map."""

    def __init__(self, heads, levels, points):
        self.heads, self.levels, self.points = heads, levels, points

    def __call__(self, shape, dtype=None):
        angles = 2 * np.pi * np.arange(self.heads) / self.heads
        rays = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        rays = (rays / np.abs(rays).max(axis=-1, keepdims=True))[:, None, None]
        steps = np.arange(1, self.points + 1)[:, None] * np.ones((self.levels, 1, 1))
        return ops.convert_to_tensor((rays * steps).reshape(shape), dtype=dtype)

    def get_config(self):
        return {"heads": self.heads, "levels": self.levels, "points": self.points}

"""Positions that need no table of embeddings: rotations, distances, waves.

Shapes: B batch, T new tokens, S keys, H heads, C channels a head, R channels that are rotated.
"""

import math

import numpy as np
from keras import initializers, ops
from keras.layers import Embedding

from keras_tfm.layers.base import Layer
from keras_tfm.layers.masks import length


def rotary(positions, channels, base=10000.0, scaling=None, limit=None):
    """The rotation of each token (arXiv:2104.09864): positions (B or 1, T) -> cos, sin, 2 x (B or 1, T, 1, R / 2).

    Args:
        channels: R, at most C.
        base: the wavelengths reach from 2 pi to 2 pi * base tokens.
        scaling: how a model was brought to texts longer than those that it was trained on: the `rope_scaling` of a
            `config.json`, of type "linear" (arXiv:2306.15595), "dynamic", "llama3" or "yarn" (arXiv:2309.00071).
        limit: the number of positions that the model was trained with, `max_position_embeddings`.

    Raises:
        ValueError: another type.
    """
    frequencies, longer = base ** -(np.arange(0, channels, 2, dtype="float32") / channels), 1.0
    kind = (scaling or {}).get("rope_type", (scaling or {}).get("type", "default"))
    if kind == "linear":
        frequencies = frequencies / scaling["factor"]
    elif kind == "dynamic":  # the longer the text, the longer the waves
        tokens = ops.cast(ops.maximum(ops.max(positions) + 1, limit), "float32")
        growth = scaling["factor"] * tokens / limit - (scaling["factor"] - 1)
        steps = ops.convert_to_tensor(np.arange(0, channels, 2, dtype="float32") / (channels - 2))
        frequencies = ops.convert_to_tensor(frequencies) * growth**-steps
    elif kind == "llama3":
        frequencies = _llama3(frequencies, scaling)
    elif kind == "yarn":
        frequencies, longer = _yarn(frequencies, base, scaling, limit)
    elif kind != "default":
        raise ValueError(f"unknown rope_scaling type {kind!r}; there are linear, dynamic, llama3 and yarn")
    angles = ops.cast(positions, "float32")[:, :, None, None] * ops.convert_to_tensor(frequencies, "float32")
    return ops.cos(angles) * longer, ops.sin(angles) * longer


def _llama3(frequencies, scaling):
    """Short waves stay, long ones grow by the factor, those between go from the one to the other."""
    turns = frequencies * scaling["original_max_position_embeddings"] / (2 * np.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1).astype("float32")
    return frequencies * kept + frequencies / scaling["factor"] * (1 - kept)


def _yarn(frequencies, base, scaling, limit):
    """The same between two places on the ladder of waves; and cosines and sines that grow a little."""
    factor, half = scaling["factor"], len(frequencies)
    trained = scaling.get("original_max_position_embeddings") or limit

    def place(turns):
        return half * np.log(trained / (turns * 2 * np.pi)) / np.log(base)

    low = max(np.floor(place(scaling.get("beta_fast") or 32)), 0)
    high = min(np.ceil(place(scaling.get("beta_slow") or 1)), 2 * half - 1)
    grown = np.clip((np.arange(half) - low) / max(high - low, 0.001), 0, 1).astype("float32")
    longer = scaling.get("attention_factor")
    if longer is None:
        scales = [0.1 * (scaling.get(name) or 0) * np.log(factor) + 1 for name in ("mscale", "mscale_all_dim")]
        longer = scales[0] / scales[1] if all(scaling.get(n) for n in ("mscale", "mscale_all_dim")) else None
    if longer is None:
        longer = 0.1 * np.log(factor) + 1 if factor > 1 else 1.0
    return frequencies / factor * grown + frequencies * (1 - grown), float(longer)


def rotate_halves(x, rope):
    """Rotates the first R channels of x (B, T, H, C): channel i goes with channel i + R / 2."""
    cos, sin = (ops.cast(wave, x.dtype) for wave in rope)
    half = cos.shape[-1]
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return ops.concatenate([first * cos - second * sin, second * cos + first * sin, rest], axis=-1)


def rotate_pairs(x, rope):
    """Rotates the first R channels of x (B, T, H, C): channel 2i goes with channel 2i + 1."""
    cos, sin = (ops.cast(wave, x.dtype) for wave in rope)
    rotated = 2 * cos.shape[-1]
    first, second, rest = x[..., 0:rotated:2], x[..., 1:rotated:2], x[..., rotated:]
    pairs = ops.stack([first * cos - second * sin, second * cos + first * sin], axis=-1)
    return ops.concatenate([ops.reshape(pairs, (*ops.shape(x)[:3], rotated)), rest], axis=-1)


def real_positions(attention_mask, places):
    """Numbers the real tokens of each text from 0 on; padding has -1.

    Args:
        attention_mask: (B, M), 1 = a real token; tokens behind its end count as real. None where all are.
        places: (T,), where in the text, or in the cache, the tokens stand that are asked for.

    Returns:
        (B or 1, T).

    Raises:
        ValueError: a mask of another rank.
    """
    if attention_mask is None:
        return places[None]
    if len(attention_mask.shape) != 2:
        raise ValueError(f"tokens are counted by an attention_mask (batch, length), not one of {attention_mask.shape}")
    mask = ops.cast(attention_mask, "int32")
    last = ops.shape(mask)[1] - 1
    within, behind = ops.minimum(places, last), ops.maximum(places - last, 0)
    counts = ops.take(ops.cumsum(mask, axis=1), within, axis=1) + behind
    return counts * ops.where(behind > 0, 1, ops.take(mask, within, axis=1)) - 1


def key_places(inputs, cache):
    """The places (S,) of the keys, in the text of these inputs or in the cache."""
    return ops.arange(length(inputs) if cache is None else ops.shape(cache[0][0])[1])


def alibi(keys, queries, heads, dtype="float32"):
    """Biases that fall with the distance, by a slope of its own for each head (arXiv:2108.12409): (B or 1, H, T, S).

    Args:
        keys, queries: the positions of the keys (B or 1, S) and the queries (B or 1, T).
        heads: H.
        dtype: what the products of slopes and positions are rounded to.
    """
    count = 2 ** math.ceil(math.log2(heads))
    slopes = 2.0 ** (-8 * np.arange(1, count + 1) / count)
    if count > heads:  # those of half as many heads, and some between them
        slopes = np.concatenate([slopes[1::2], slopes[::2]])[:heads]
    slopes = ops.cast(ops.convert_to_tensor(slopes, "float32"), dtype)[:, None]
    falls = [ops.cast(slopes * ops.cast(x, dtype)[:, None], "float32") for x in (keys, queries)]  # (B or 1, H, S or T)
    # The softmax sees the keys alone; less the query's own, numbers near it stay small, and exact in half precision.
    return falls[0][:, :, None] - falls[1][..., None]


class RelativeBias(Layer):
    """T5's bias by distance: near distances have a number each for every head, far ones share (arXiv:1910.10683).

    Args:
        buckets: how many distances are told apart.
        heads: H.
        max_distance: from here on all share one bucket.
        bidirectional: half of the buckets are for keys after the query; otherwise those count as distance 0.
        rows: of the table, of which the first `buckets` are used. Default `buckets`.
    """

    def __init__(self, buckets, heads, max_distance=128, bidirectional=True, rows=None, **kwargs):
        super().__init__(**kwargs)
        if rows is not None and rows < buckets:
            raise ValueError(f"a table of {rows} rows is too short for {buckets} buckets of distances")
        self.bidirectional, self.max_distance = bidirectional, max_distance
        self.each_way = buckets // 2 if bidirectional else buckets
        self.table = Embedding(rows or buckets, heads)

    def call(self, tokens, keys, start=0):
        """T queries from the position `start` on, S keys from 0 on -> (1, H, T, S)."""
        distances = ops.arange(keys)[None] - (start + ops.arange(tokens)[:, None])
        before = ops.abs(distances) if self.bidirectional else ops.maximum(-distances, 0)
        rows = ops.take(self._bucket_of_each_distance(), ops.minimum(before, self.max_distance))
        if self.bidirectional:
            rows = ops.where(distances > 0, rows + self.each_way, rows)
        return ops.transpose(self.table(rows), (2, 0, 1))[None]

    def _bucket_of_each_distance(self):
        """The first half of the buckets holds one distance each, the rest grow in proportion to it."""
        exact = self.each_way // 2
        distances = np.arange(self.max_distance + 1)
        growing = np.log(np.maximum(distances, 1).astype("float32") / exact) / np.log(self.max_distance / exact)
        far = exact + (growing.astype("float32") * (self.each_way - exact)).astype("int32")
        return np.where(distances < exact, distances, np.minimum(far, self.each_way - 1)).astype("int32")


class Formula(initializers.Initializer):
    """Values that training leaves as they are, so that a checkpoint may store them or not."""


class Unused(Formula):
    """Zeros, for a table that checkpoints carry along."""

    def __call__(self, shape, dtype=None):
        return ops.zeros(shape, dtype)


class Waves(Formula):
    """A position table (N, D) of sines (even columns) and cosines (odd ones), ever slower (arXiv:1706.03762)."""

    def __call__(self, shape, dtype=None):
        count, width = shape
        frequencies = 10000.0 ** -(2 * (np.arange(width) // 2) / width)
        angles = np.arange(count)[:, None] * frequencies
        return ops.convert_to_tensor(np.where(np.arange(width) % 2, np.cos(angles), np.sin(angles)), dtype)


class SinesThenCosines(Waves):
    """`Waves` with the sines in the first half of the columns and the cosines in the second."""

    def __call__(self, shape, dtype=None):
        table = super().__call__(shape, dtype)
        return ops.concatenate([table[:, 0::2], table[:, 1::2]], axis=1)


class FairseqWaves(Formula):
    """Sines in the first half of the columns and cosines in the second, as fairseq and tensor2tensor space them.

    Args:
        padding: the row of padding, which is zero.
    """

    def __init__(self, padding):
        self.padding = padding

    def __call__(self, shape, dtype=None):
        count, width = shape
        half = width // 2
        frequencies = np.exp(np.arange(half, dtype="float32") * -np.float32(np.log(10000) / (half - 1)))
        angles = np.arange(count, dtype="float32")[:, None] * frequencies
        table = np.zeros(shape, "float32")
        table[:, : 2 * half] = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        table[self.padding] = 0
        return ops.convert_to_tensor(table, dtype)

    def get_config(self):
        return {"padding": self.padding}


def waves(angles, channels):
    """Sines and cosines in turn, ever slower: angles (..,) -> (.., channels)."""
    place = np.arange(channels)
    speeds = ops.convert_to_tensor(10000.0 ** -(2 * (place // 2) / channels), "float32")
    angles = ops.cast(angles, "float32")[..., None] * speeds
    return ops.where(ops.convert_to_tensor(place % 2 == 0), ops.sin(angles), ops.cos(angles))


def map_waves(real, channels, shift=0.0):
    """The places in maps as `waves`, of y and then of x, which go from 0 to 2 pi over what is real (arXiv:2005.12872).

    real (B, h, w), False or 0 for padding -> (B, h, w, channels).

    Args:
        shift: what is taken off the places, which are counted from 1 on: 0.5 for the middles of pixels.
    """
    found = []
    for axis in (1, 2):
        place = ops.cumsum(ops.cast(real, "float32"), axis=axis)
        last = place[:, -1:] if axis == 1 else place[:, :, -1:]
        found.append(waves((place - shift) / (last + 1e-6) * (2 * math.pi), channels // 2))
    return ops.concatenate(found, axis=-1)

"""Attention to the tokens nearby, and a few tokens that see, and are seen by, all (Longformer, arXiv:2004.05150).

Shapes: B batch, S tokens, D width, H heads, C channels a head, N blocks of W tokens, G tokens that see all.
"""

import numpy as np
from keras import ops
from keras.layers import Dense, Dropout

from keras_tfm.layers.attention import MASKED, attention_weights, merge_heads, split_heads
from keras_tfm.layers.base import Layer

FEW = 128  # so many tokens that see all are gathered; where there are more, every pair of tokens is looked at


class WindowedAttention(Layer):
    """Multi-head attention in which a token sees those at most half a window before and after it.

    Tokens that see all have queries, keys and values of their own for that. Padding gets zeros.

    Args:
        width: D.
        heads: H.
        window: twice the distance, an even number.
        dropout: the rate at which attention weights are dropped in training.

    Raises:
        ValueError: an odd window.
    """

    def __init__(self, width, heads, window, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if window < 2 or window % 2:
            raise ValueError(f"a window reaches as far back as ahead: an even number of tokens, not {window}")
        self.heads, self.reach, self.scale = heads, window // 2, (width // heads) ** -0.5
        self.query, self.key, self.value = Dense(width), Dense(width), Dense(width)
        self.global_query, self.global_key, self.global_value = Dense(width), Dense(width), Dense(width)
        self.dropout = Dropout(dropout)
        self.project = Dense(width)

    def call(self, x, attend=None, everywhere=None, cache=None, start=0, weights=False, training=None):
        """x (B, S, D) -> (B, S, D), None, the attention weights (B, H, S, S) or None.

        Args:
            attend: bool (B, 1, 1, S), False for padding. Default: there is none.
            everywhere: bool (B, S), True for tokens that see all. Default: there are none.
            weights: whether to return the attention weights.
        """
        tokens = ops.shape(x)[1]
        real = ops.ones(ops.shape(x)[:2], "bool") if attend is None else attend[:, 0, 0]
        near = [split_heads(layer(x), self.heads) for layer in (self.query, self.key, self.value)]
        if everywhere is None:
            y, seen = self.attend_near(*near, real, weights=weights, training=training)
        else:
            layers = self.global_query, self.global_key, self.global_value
            far = [split_heads(layer(x), self.heads) for layer in layers]
            everywhere = ops.logical_and(everywhere, real)

            def attend_to(places):
                return self.attend_all(near, far, real, everywhere, places, weights, training)

            def attend_to_few():
                return attend_to(ops.argsort(1 - ops.cast(everywhere, "int32"), axis=1)[:, :FEW])

            if weights or (training and self.dropout.rate > 0) or (isinstance(tokens, int) and tokens <= FEW):
                y, seen = attend_to(None)
            else:
                most = ops.max(ops.sum(ops.cast(everywhere, "int32"), axis=1))
                y, seen = ops.cond(most <= FEW, lambda: attend_to_few()[0], lambda: attend_to(None)[0]), None
        if weights:
            seen = ops.where(real[:, None, :, None], seen, 0)
        return self.project(ops.where(real[:, :, None], y, 0)), None, seen

    def attend_all(self, near, far, real, everywhere, places, weights, training):
        """Attention where some tokens see all, which are among those at `places` (B, G). Default: among all.

        near, far: queries, keys and values 2 x 3 x (B, S, H, C); real, everywhere (B, S)
        -> (B, S, D), weights (B, H, S, S) or None.
        """
        chosen = _pick(everywhere, places)
        others = ops.logical_and(real, ops.logical_not(everywhere))
        shared = _pick(near[1], places), _pick(near[2], places), chosen
        y, seen = self.attend_near(*near, others, shared, weights, training)

        query, key, value = far
        full = attention_weights(_pick(query, places), key, real[:, None, None], None, self.scale)  # (B, H, G, S)
        z = merge_heads(ops.einsum("bhgs,bshc->bghc", self.dropout(full, training=training), value))
        if places is not None:  # back to where they came from
            rows = ops.equal(places[:, None], ops.arange(ops.shape(real)[1])[:, None])  # (B, S, G)
            z = ops.einsum("bsg,bgd->bsd", ops.cast(rows, z.dtype), z)
        if weights:
            seen = ops.where(everywhere[:, None, :, None], full, seen)
        return ops.where(everywhere[:, :, None], z, y), seen

    def attend_near(self, query, key, value, real, shared=None, weights=False, training=None):
        """Attention of all tokens to those nearby and, besides, to the keys and values (B, G, H, C) of `shared`.

        query, key, value (B, S, H, C), real (B, S) -> (B, S, D), weights (B, H, S, S) or None.
        """
        reach, tokens = self.reach, ops.shape(query)[1]
        seen_from = np.abs(np.arange(reach)[:, None] + reach - np.arange(3 * reach)) <= reach  # (W, 3 W)
        attend = ops.logical_and(seen_from, self._around(real[:, :, None, None])[:, :, :, 0, 0][:, :, None, None])
        query = self._blocks(query, 0)  # (B, N, W, H, C)
        scores = ops.einsum("bnihc,bnjhc->bnhij", query, self._around(key)) * self.scale
        scores = ops.where(attend, scores, MASKED)
        if shared is not None:
            extra = ops.einsum("bnihc,bghc->bnhig", query, shared[0]) * self.scale
            scores = ops.concatenate([scores, ops.where(shared[2][:, None, None, None], extra, MASKED)], axis=-1)
        probabilities = ops.cast(ops.softmax(ops.cast(scores, "float32")), query.dtype)
        dropped = self.dropout(probabilities, training=training)
        y = ops.einsum("bnhij,bnjhc->bnihc", dropped[..., : 3 * reach], self._around(value))
        if shared is not None:
            y = y + ops.einsum("bnhig,bghc->bnihc", dropped[..., 3 * reach :], shared[1])
        batch, blocks = ops.shape(y)[:2]
        y = ops.reshape(y, (batch, blocks * reach, y.shape[-2] * y.shape[-1]))[:, :tokens]
        return y, self._spread(probabilities, tokens) if weights else None

    def _spread(self, probabilities, tokens):
        """The weights of blocks (B, N, H, W, 3 W), behind them those of tokens that all see, if any -> (B, H, S, S)."""
        rows, reach = ops.arange(tokens)[:, None], self.reach
        flat = ops.transpose(probabilities, (0, 2, 1, 3, 4))
        batch, heads, blocks, _, keys = ops.shape(flat)
        flat = ops.reshape(flat, (batch, heads, blocks * reach, keys))[:, :, :tokens]
        columns = ops.arange(tokens) - (rows // reach - 1) * reach  # of each token among those around its block
        near = ops.take_along_axis(flat, ops.clip(columns, 0, 3 * reach - 1)[None, None], axis=-1)
        near = ops.where(ops.logical_and(columns >= 0, columns < 3 * reach), near, 0)
        return near if probabilities.shape[-1] == 3 * reach else near + flat[..., 3 * reach :]

    def _blocks(self, x, margin):
        """x (B, S, H, C), with zeros up to a multiple of W behind it and `margin` blocks of them on both sides
        -> (B, N, W, H, C)."""
        (batch, tokens), (heads, channels) = ops.shape(x)[:2], x.shape[2:]
        blocks, outside = -(-tokens // self.reach), margin * self.reach
        sides = outside, blocks * self.reach - tokens + outside
        before, behind = (ops.zeros((batch, size, heads, channels), x.dtype) for size in sides)
        x = ops.concatenate([before, x, behind], axis=1)
        return ops.reshape(x, (batch, blocks + 2 * margin, self.reach, heads, channels))

    def _around(self, x):
        """x (B, S, H, C) -> what is around each block, (B, N, 3 W, H, C)."""
        blocks = self._blocks(x, 1)
        return ops.concatenate([blocks[:, :-2], blocks[:, 1:-1], blocks[:, 2:]], axis=2)


def _pick(x, places):
    """The rows of x (B, S, ..) at places (B, G), all where None."""
    if places is None:
        return x
    return ops.take_along_axis(x, ops.reshape(places, (*ops.shape(places), *[1] * (len(x.shape) - 2))), axis=1)

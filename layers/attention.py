"""Attention, with grouped queries, additive biases and a cache (arXiv:1706.03762, arXiv:2305.13245).

Shapes: B batch, T new tokens, S keys, D width, H heads, K key/value heads, C channels a head.
"""

from keras import ops
from keras.layers import Dense, Dropout

from keras_tfm.layers.base import Layer
from keras_tfm.layers.masks import slides
from keras_tfm.layers.positions import rotate_halves
from keras_tfm.runtime.memory import write_slice
from keras_tfm.runtime.tracing import sizes_are_known


class Attention(Layer):
    """Multi-head attention: over the tokens themselves, or over a `context`.

    A subclass adds relative positions by defining `score_bias`, or rotates in another way by `rotate`.

    Args:
        width: D, of the output.
        heads: H.
        kv_heads: K, shared by H / K query heads each. Default H.
        channels: C. Default D / H.
        bias: whether query, key, value and the output projection have biases.
        project_bias: whether the output projection has one. Default: as the others.
        key_bias: whether keys have one. Default: as the others.
        window: how many tokens `attend` lets each one see, itself and those just before it: a cache need not hold more.
            Default: all.
        dropout: the rate at which attention weights are dropped in training.
        scale: what scores are multiplied by. Default 1 / sqrt(C).
        query_norm, key_norm: what normalises each head's queries and keys before they are rotated. Default: nothing.
    """

    def __init__(
        self,
        width,
        heads,
        kv_heads=None,
        channels=None,
        *,
        bias=True,
        project_bias=None,
        key_bias=None,
        dropout=0.0,
        scale=None,
        window=None,
        query_norm=None,
        key_norm=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if channels is None and width % heads:
            raise ValueError(f"the width {width} is no multiple of the number of heads {heads}")
        self.heads, self.kv_heads = heads, kv_heads or heads
        if heads % self.kv_heads:
            raise ValueError(f"{heads} heads cannot share {self.kv_heads} key/value heads evenly")
        self.channels = channels or width // heads
        self.scale = self.channels**-0.5 if scale is None else scale
        self.window = window
        self.query = Dense(self.heads * self.channels, use_bias=bias)
        self.key = Dense(self.kv_heads * self.channels, use_bias=bias if key_bias is None else key_bias)
        self.value = Dense(self.kv_heads * self.channels, use_bias=bias)
        self.query_norm, self.key_norm = query_norm, key_norm
        self.dropout = Dropout(dropout)
        self.project = Dense(width, use_bias=bias if project_bias is None else project_bias)

    rotate = staticmethod(rotate_halves)
    rotates_value = False  # whether `rope` turns the values, too

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens: 2 x (B, S, K, C). With a `window` no longer
        than that it slides: S is the window, and what stands in it are the tokens just before the new ones."""
        kept = length if self.window is None else min(length, self.window)
        return tuple(ops.zeros((batch, kept, self.kv_heads, self.channels), self.compute_dtype) for _ in range(2))

    def score_bias(self, query, key, start):
        """What to add to the scaled scores: (B or 1, H or 1, T, S), or None.

        query (B, T, H, C); key (B, S, K, C); start, the position of the first query.
        """
        return None

    def keys_and_values(self, context, values=None):
        """context (B, S, D) and, where others than these, what values are made of -> 2 x (B, S, K, C)."""
        key = split_heads(self.key(context), self.kv_heads)
        return key, split_heads(self.value(context if values is None else values), self.kv_heads)

    def call(
        self,
        x,
        context=None,
        values=None,
        attend=None,
        bias=None,
        rope=None,
        cache=None,
        start=0,
        weights=False,
        training=None,
    ):
        """x (B, T, D) -> (B, T, D), the new cache or None, the attention weights (B, H, T, S) or None.

        Args:
            context: (B, S, D) to look at, or its `keys_and_values`. Default x.
            values: (B, S, ..) that the values are made of. Default the context.
            attend: bool, True = may look, broadcastable to (B, H, T, S).
            bias: added to the scaled scores, broadcastable to (B, H, T, S).
            rope: the rotation of each new token, see `positions.rotary`.
            cache: keys and values of S positions, 2 x (B, S, K, C); the new ones are written there from `start` on, or
                come behind them if it slides.
            start: the position of the first new token, an int or a scalar tensor.
            weights: whether to return the attention weights.
        """
        query = split_heads(self.query(x), self.heads)
        if isinstance(context, tuple):
            key, value = context
        else:
            key, value = self.keys_and_values(x if context is None else context, values)
        if self.query_norm is not None:
            query, key = self.query_norm(query), self.key_norm(key)
        if rope is not None:
            query, key = self.rotate(query, rope), self.rotate(key, rope)
            value = self.rotate(value, rope) if self.rotates_value else value
        if cache is not None:
            sliding, pairs = slides(cache, self.window), zip(cache, (key, value), strict=True)
            key, value = cache = tuple(append(*pair) if sliding else write(*pair, start) for pair in pairs)
            if sliding:
                cache = tuple(x[:, -self.window :] for x in cache)
        if (own := self.score_bias(query, key, start)) is not None:
            bias = own if bias is None else bias + own
        if bias is not None and attend is not None:
            bias, attend = ops.where(attend, bias, MASKED), None

        if weights or (training and self.dropout.rate > 0):
            seen = attention_weights(query, key, attend, bias, self.scale)
            value = for_each_query(value, self.heads)
            y = ops.einsum("bhts,bshc->bthc", self.dropout(seen, training=training), value)
        else:
            seen, y = None, fused_attention(query, key, value, attend, bias, self.scale)
        return self.project(merge_heads(y)), cache, seen if weights else None


# Far enough below every score to vanish in the softmax, and still a number in float16: a row in which everything
# is masked becomes uniform, as in the reference, not NaN.
MASKED = -3e4


def fused_attention(query, key, value, attend, bias, scale):
    """query (B, T, H, C), key and value (B, S, K, C), attend and bias (B or 1, H or 1, T, S) -> (B, T, H, C)."""
    (heads, channels), shared = query.shape[2:], key.shape[2]
    if query.shape[1] == 1 and shared < heads:  # queries that share keys, as so many tokens: no key is repeated
        grouped = -1, shared, heads // shared
        query = swap_heads(ops.reshape(query, (*grouped, channels)))
        attend, bias = (
            x if x is None or x.shape[1] == 1 else ops.reshape(x, (*grouped, ops.shape(x)[3])) for x in (attend, bias)
        )
        y = ops.dot_product_attention(query, key, value, bias=bias, mask=attend, scale=scale)
        return ops.reshape(swap_heads(y), (-1, 1, heads, channels))
    if shared == 1:  # a lone one is not repeated by Keras, and TensorFlow does not broadcast it
        key, value = for_each_query(key, heads), for_each_query(value, heads)
    return ops.dot_product_attention(query, key, value, bias=bias, mask=attend, scale=scale)


def swap_heads(x):
    """x (B, T, H, C) -> (B, H, T, C), and back."""
    return ops.transpose(x, (0, 2, 1, 3))


def attention_weights(query, key, attend, bias, scale):
    """query (B, T, H, C), key (B, S, K, C) -> the softmax of their scaled products, (B, H, T, S).

    Fused attention keeps these to itself: this is for those who ask for them, and for dropout.
    """
    scores = ops.einsum("bthc,bshc->bhts", query, for_each_query(key, query.shape[2])) * scale
    if bias is not None:
        scores = scores + ops.cast(bias, scores.dtype)
    if attend is not None:
        scores = ops.where(attend, scores, MASKED)
    return ops.cast(ops.softmax(ops.cast(scores, "float32")), query.dtype)


def for_each_query(x, heads):
    """Keys or values x (B, S, K, C), each for the query heads that share it -> (B, S, H, C)."""
    batch, keys = ops.shape(x)[:2]
    shared, channels = x.shape[2:]
    groups = heads // shared
    return ops.reshape(
        ops.broadcast_to(x[:, :, :, None], (batch, keys, shared, groups, channels)), (batch, keys, heads, channels)
    )


def write(stored, new, start):
    """A cache (B, S, K, C) with `new` keys or values (B, T, K, C) from the position `start` on.

    Raises:
        ValueError: the cache is too short (if that is known before the program runs).
    """
    end, room = start + ops.shape(new)[1], ops.shape(stored)[1]
    if sizes_are_known(end, room) and end > room:
        raise ValueError(f"the cache has room for {room} tokens, not for {end}: make a longer one with new_cache")
    return write_slice(stored, ops.cast(new, stored.dtype), start)


def append(stored, new):
    """A cache (B, S, K, C) and behind it `new` keys or values (B, T, K, C)."""
    return ops.concatenate([stored, ops.cast(new, stored.dtype)], axis=1)


def split_heads(x, heads):
    """x (B, T, H * C) -> (B, T, H, C)."""
    return ops.reshape(x, (*ops.shape(x)[:2], heads, x.shape[-1] // heads))


def merge_heads(x):
    """x (B, T, H, C) -> (B, T, H * C)."""
    return ops.reshape(x, (*ops.shape(x)[:2], x.shape[2] * x.shape[3]))

"""DeBERTa's disentangled attention: words and their distances attend to each other apart (arXiv:2006.03654).

Shapes: B batch, T tokens, S keys (S = T), D width, H heads, C channels a head.
"""

import numpy as np
from keras import ops
from keras.layers import Dense, Dropout, Embedding, LayerNormalization

from keras_tfm.layers.attention import MASKED, merge_heads, split_heads
from keras_tfm.layers.base import Layer


class Distances(Layer):
    """A learned vector for every distance between two tokens; with `position_buckets` far distances share some."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.farthest = c.max_relative_positions if c.max_relative_positions > 0 else c.max_position_embeddings
        rows, buckets = self.farthest, np.arange(-self.farthest, self.farthest + 1)
        if c.position_buckets > 0:
            rows, buckets = c.position_buckets, log_buckets(buckets, c.position_buckets, self.farthest)
        self.row_of_distance = np.clip(buckets + rows, 0, 2 * rows - 1).astype("int32")
        self.table = Embedding(2 * rows, c.hidden_size)
        self.norm = LayerNormalization(epsilon=c.layer_norm_eps) if "layer_norm" in c.norm_rel_ebd.lower() else None

    def call(self, x):
        """x (B, T, D) -> the vectors of the distances -T .. T, (1, 2T + 1, D); those beyond `farthest` are alike."""
        tokens = ops.shape(x)[1]
        distances = ops.clip(ops.arange(2 * tokens + 1) - tokens, -self.farthest, self.farthest)[None]
        y = self.table(ops.take(self.row_of_distance, distances + self.farthest))
        return y if self.norm is None else self.norm(y)


def log_buckets(distances, buckets, farthest):
    """A bucket for each distance: one of its own up to half of the buckets, from there on in proportion."""
    near = buckets // 2
    far = np.maximum(np.abs(distances), near).astype("float32") / np.float32(near)
    far = np.ceil(np.log(far) / np.log(np.float32((farthest - 1) / near)) * np.float32(near - 1)) + near
    return np.where(np.abs(distances) <= near, distances, np.sign(distances) * far)


class DisentangledAttention(Layer):
    """Attention by what the tokens are and how far apart: word to word, word to distance, distance to word.

    `pos_att_type` says which: "c2p", a query meets a distance, and "p2c", a distance meets a key.

    Args:
        key_bias: whether the keys, of words and of distances, have a bias.
    """

    def __init__(self, c, key_bias=True, **kwargs):
        super().__init__(**kwargs)
        width, self.heads = c.hidden_size, c.num_attention_heads
        if width % self.heads:
            raise ValueError(f"hidden_size {width} is no multiple of num_attention_heads {self.heads}")
        self.kinds = set(c.pos_att_type or ()) & {"c2p", "p2c"}
        self.scale = (width // self.heads * (1 + len(self.kinds))) ** -0.5
        self.shared = c.share_att_key
        self.query, self.key, self.value = Dense(width), Dense(width, use_bias=key_bias), Dense(width)
        apart = self.kinds if c.relative_attention and not self.shared else ()
        self.distance_key = Dense(width, use_bias=key_bias) if "c2p" in apart else None
        self.distance_query = Dense(width) if "p2c" in apart else None
        self.dropout = Dropout(c.attention_probs_dropout_prob)
        self.distance_dropout = Dropout(c.hidden_dropout_prob)
        self.project = Dense(width)

    def call(self, x, attend=None, distances=None, weights=False, training=None, **for_decoders):
        """x (B, T, D) -> (B, T, D), None (there is no cache), the attention weights (B, H, T, S) or None.

        Args:
            attend: bool (B, 1, 1, S), True = may look and be looked at.
            distances: (1, 2T + 1, D), the vectors of -T .. T. Default: attention by words alone.
            weights: whether to return the attention weights.
        """
        query, key, value = (split_heads(dense(x), self.heads) for dense in (self.query, self.key, self.value))
        query = query * self.scale
        scores = ops.einsum("bthc,bshc->bhts", query, key)
        if distances is not None:
            distances = self.distance_dropout(distances, training=training)
            if "c2p" in self.kinds:
                after = ops.flip(distances[:, :-1], axis=1)  # a key further to the right is at a smaller distance
                scores = scores + self.meet(query, (self.key if self.shared else self.distance_key)(after))
            if "p2c" in self.kinds:
                before = (self.query if self.shared else self.distance_query)(distances[:, 1:])
                scores = scores + ops.swapaxes(self.meet(key * self.scale, before), 2, 3)
        if attend is not None:
            attend = ops.logical_and(attend, ops.swapaxes(attend, 2, 3))
        seen = self.weigh(scores, attend, training)
        y = self.project(merge_heads(ops.einsum("bhts,bshc->bthc", seen, value)))
        return y, None, seen if weights else None

    def meet(self, x, distances):
        """x (B, T, H, C), vectors (1, 2T, D) of what is T - 1 to the left, .., T to the right -> (B, H, T, T).

        Every product is computed once; row by row, the T that count begin one column further left.
        """
        y = ops.einsum("bthc,phc->bhtp", x, split_heads(distances, self.heads)[0])
        batch, heads, tokens, columns = ops.shape(y)
        y = ops.reshape(y, (batch, heads, tokens * columns))[:, :, tokens - 1 : -1]  # now rows of one column less
        return ops.reshape(y, (batch, heads, tokens, columns - 1))[..., :tokens]

    def weigh(self, scores, attend, training):
        """The attention weights of the scores (B, H, T, S); all zero for tokens that may look at none."""
        if attend is not None:
            scores = ops.where(attend, scores, MASKED)
        seen = ops.cast(ops.softmax(ops.cast(scores, "float32")), scores.dtype)
        if attend is not None:
            seen = ops.where(attend, seen, 0)
        return self.dropout(seen, training=training)

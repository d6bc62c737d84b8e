"""Blocks of transformers: attention and an MLP, normalised before or after, one behind the other or side by side.

Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads.
"""

from keras.layers import Dropout

from keras_tfm.layers.base import Layer
from keras_tfm.layers.experts import MixtureOfExperts


class PreNormBlock(Layer):
    """Attention and an MLP, each on normalised input and added to it; between them attention to an encoder, if any.

    Args:
        attention, mlp: the two layers. The MLP may be a `MixtureOfExperts`.
        attention_norm, mlp_norm: what normalises their inputs.
        dropout: the rate at which their outputs are dropped in training.
        cross_attention, cross_attention_norm: the layer that looks at an encoder, and its norm.
    """

    def __init__(
        self,
        attention,
        mlp,
        attention_norm,
        mlp_norm,
        dropout=0.0,
        cross_attention=None,
        cross_attention_norm=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.attention_norm, self.attention = attention_norm, attention
        self.cross_attention_norm, self.cross_attention = cross_attention_norm, cross_attention
        self.mlp_norm, self.mlp = mlp_norm, mlp
        self.dropout = Dropout(dropout)

    def call(self, x, attend=None, context=None, attend_context=None, cache=None, start=0, weights=False, **relations):
        """x (B, T, D), attend (B, 1, T, S), context (B, S, D) -> (B, T, D), cache, {name: weights (B, H, T, S)}.

        What the model says of the `relations` between tokens is for the attention, see there. Of a mixture of experts
        the scores (B, T, experts) are returned besides, as router_logits.
        """
        y, cache, seen = self.attention(
            self.attention_norm(x), attend=attend, cache=cache, start=start, weights=weights, **relations
        )
        x = x + self.dropout(y)
        seen = {"attentions": seen}
        if context is not None:
            y, _, cross = self.cross_attention(
                self.cross_attention_norm(x), context=context, attend=attend_context, weights=weights
            )
            x = x + self.dropout(y)
            seen["cross_attentions"] = cross
        y = self.mlp(self.mlp_norm(x))
        if isinstance(self.mlp, MixtureOfExperts):
            y, seen["router_logits"] = y
        return x + self.dropout(y), cache, seen


class PostNormBlock(PreNormBlock):
    """The same layers, with the norms behind the additions."""

    def call(self, x, attend=None, context=None, attend_context=None, cache=None, start=0, weights=False, **relations):
        """As `PreNormBlock.call`."""
        y, cache, seen = self.attention(x, attend=attend, cache=cache, start=start, weights=weights, **relations)
        x = self.attention_norm(x + self.dropout(y))
        seen = {"attentions": seen}
        if context is not None:
            y, _, cross = self.cross_attention(x, context=context, attend=attend_context, weights=weights)
            x = self.cross_attention_norm(x + self.dropout(y))
            seen["cross_attentions"] = cross
        return self.mlp_norm(x + self.dropout(self.mlp(x))), cache, seen


class ParallelBlock(Layer):
    """Attention and an MLP side by side, both on normalised input; their sum is added to it.

    Args:
        attention, mlp: the two layers.
        attention_norm: what normalises the input.
        mlp_norm: what normalises it for the MLP. Default: the same.
        dropout: the rate at which their outputs are dropped in training.
    """

    def __init__(self, attention, mlp, attention_norm, mlp_norm=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.attention_norm, self.attention = attention_norm, attention
        self.mlp_norm, self.mlp = mlp_norm, mlp
        self.dropout = Dropout(dropout)

    def call(self, x, attend=None, cache=None, start=0, weights=False, **relations):
        """x (B, T, D), attend (B, 1, T, S) -> (B, T, D), cache, {"attentions": weights (B, H, T, S)}."""
        normed = self.attention_norm(x)
        y, cache, seen = self.attention(normed, attend=attend, cache=cache, start=start, weights=weights, **relations)
        z = self.mlp(normed if self.mlp_norm is None else self.mlp_norm(x))
        return x + self.dropout(y) + self.dropout(z), cache, {"attentions": seen}

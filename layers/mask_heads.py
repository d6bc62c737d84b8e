"""How DETR's family makes masks of what queries look at (arXiv:2005.12872).

Shapes: B batch, h and w the height and width of a map, Q queries, D width, H heads, C channels.
"""

from keras import ops
from keras.layers import Conv2D, Dense, GroupNormalization

from keras_tfm.layers.attention import MASKED, split_heads
from keras_tfm.layers.base import Layer
from keras_tfm.layers.convolutions import Convolution
from keras_tfm.layers.images import flatten, resize


class Looks(Layer):
    """How much each query's heads look at each pixel: all heads' shares of all pixels add up to one.

    Args:
        width: D.
        heads: H.
    """

    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.query, self.key = Dense(width), Dense(width)

    def call(self, x, pixels, real):
        """x (B, Q, D), pixels (B, h, w, D), real (B, h, w) -> (B, Q, h, w, H)."""
        query = split_heads(self.query(x), self.heads) * self.scale
        batch, height, width = ops.shape(pixels)[:3]
        key = split_heads(self.key(flatten(pixels)), self.heads)
        scores = ops.einsum("bqhc,bshc->bqsh", query, key)
        scores = ops.where(ops.reshape(real, (batch, 1, height * width, 1)), scores, MASKED)
        shares = ops.softmax(ops.reshape(scores, (batch, x.shape[1], height * width * self.heads)))
        return ops.reshape(shares, (batch, x.shape[1], height, width, self.heads))


class MaskHead(Layer):
    """Each query's mask, ever finer, from what the query looks at and from the backbone's maps.

    Args:
        width: D.
        heads: H.

    Raises:
        ValueError: D + H is no multiple of 8.
    """

    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        if (width + heads) % 8:
            raise ValueError(f"d_model {width} and encoder_attention_heads {heads} must be a multiple of 8 together")
        widths = [width + heads, width // 2, width // 4, width // 8, width // 16]
        self.convolutions = [Convolution(filters, 3) for filters in widths]
        self.norms = [GroupNormalization(min(8, filters), epsilon=1e-5) for filters in widths]
        self.lateral = [Conv2D(filters, 1) for filters in widths[1:4]]
        self.project = Convolution(1, 3)

    def call(self, pixels, looks, maps):
        """pixels (B, h, w, D), looks (B, Q, h, w, H), three maps (B, h', w', C), the coarsest first -> (B, Q, h', w')
        in the size of the finest."""
        batch, queries = ops.shape(looks)[:2]
        steps = [lambda x, c=c, n=n: ops.relu(n(c(x))) for c, n in zip(self.convolutions, self.norms, strict=True)]
        looks = ops.reshape(looks, (batch * queries, *ops.shape(looks)[2:]))
        x = steps[1](steps[0](ops.concatenate([ops.repeat(pixels, queries, axis=0), looks], axis=-1)))
        for finer, lateral, step in zip(maps, self.lateral, steps[2:], strict=True):
            x = resize(x, ops.shape(finer)[1:3], "nearest") + ops.repeat(lateral(finer), queries, axis=0)
            x = step(x)
        masks = self.project(x)
        return ops.reshape(masks, (batch, queries, *ops.shape(masks)[1:3]))

"""Pyramids of feature maps: how segmentation heads bring what a backbone saw at several sizes together.

Shapes: B batch, h and w the height and width of a map, C channels.
"""

from keras import ops
from keras.layers import Conv2D, Conv2DTranspose

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer
from keras_tfm.layers.convolutions import BatchNorm, ConvNorm, max_pool
from keras_tfm.layers.images import resize


def average_pool(maps, size):
    """maps (B, h, w, C) -> (B, size, size, C), the averages of as many parts, which may overlap, as PyTorch's adaptive
    pooling has them."""
    rows, columns = (_parts(n, size, maps.dtype) for n in ops.shape(maps)[1:3])
    return ops.einsum("ih,bhwc,jw->bijc", rows, maps, columns)


def _parts(length, count, dtype):
    """Which share each place has in the average of each part, (count, length)."""
    parts, places = ops.arange(count)[:, None], ops.arange(length)[None]
    first, behind = parts * length // count, ((parts + 1) * length + count - 1) // count
    inside = ops.cast(ops.logical_and(places >= first, places < behind), "float32")
    return ops.cast(inside / ops.sum(inside, axis=1, keepdims=True), dtype)


class PyramidHead(Layer):
    """UPerNet (arXiv:1807.10221): classes from maps of falling size. The last one is pooled at several scales; from
    there what was seen is handed up, each map is smoothed, and all are brought together at the size of the first.

    Args:
        levels: how many maps there are.
        channels: C inside.
        labels: how many classes.
        pool_scales: into how many parts each side is divided when pooling.
    """

    def __init__(self, levels, channels, labels, pool_scales=(1, 2, 3, 6), **kwargs):
        super().__init__(**kwargs)
        self.pool_scales = tuple(pool_scales)
        self.pooled = [ConvNorm(channels, 1, "relu") for _ in self.pool_scales]
        self.bottleneck = ConvNorm(channels, 3, "relu")
        self.lateral = [ConvNorm(channels, 1, "relu") for _ in range(levels - 1)]
        self.smooth = [ConvNorm(channels, 3, "relu") for _ in range(levels - 1)]
        self.merge = ConvNorm(channels, 3, "relu")
        self.project = Conv2D(labels, 1)

    def call(self, maps):
        """A list of maps (B, h, w, C), from large to small -> (B, h, w, labels), as large as the first."""
        last, size = maps[-1], ops.shape(maps[-1])[1:3]
        pooled = zip(self.pool_scales, self.pooled, strict=True)
        scales = [resize(convolution(average_pool(last, scale)), size) for scale, convolution in pooled]
        levels = [self.bottleneck(ops.concatenate([last, *scales], axis=-1))]
        for x, convolution in zip(maps[-2::-1], self.lateral[::-1], strict=True):
            levels.insert(0, convolution(x) + resize(levels[0], ops.shape(x)[1:3]))
        smooth = [convolution(x) for x, convolution in zip(levels, self.smooth, strict=False)]
        size = ops.shape(smooth[0])[1:3]
        merged = [smooth[0], *(resize(x, size) for x in (*smooth[1:], levels[-1]))]
        return self.project(self.merge(ops.concatenate(merged, axis=-1)))


class ConvolutionHead(Layer):
    """Classes from one map by convolutions alone (arXiv:1411.4038).

    Args:
        channels: C inside.
        labels: how many classes.
        depth: how many convolutions there are.
        concatenates: whether one more sees the map and what became of it, side by side.
    """

    def __init__(self, channels, labels, depth=1, concatenates=False, **kwargs):
        super().__init__(**kwargs)
        self.convolutions = [ConvNorm(channels, 3, "relu") for _ in range(depth)]
        self.both = ConvNorm(channels, 3, "relu") if concatenates else None
        self.project = Conv2D(labels, 1)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, labels)."""
        x = maps
        for convolution in self.convolutions:
            x = convolution(x)
        if self.both is not None:
            x = self.both(ops.concatenate([maps, x], axis=-1))
        return self.project(x)


class PyramidNeck(Layer):
    """Makes a pyramid of four maps of one size: four times as large, twice, as it is and half.

    Args:
        channels: C.
        out_indices: where the configuration says that the maps come from.
        epsilon: of the norm.

    Raises:
        ValueError: `out_indices` are not four.
    """

    def __init__(self, channels, out_indices, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        if len(out_indices) != 4:
            raise ValueError(
                f"a pyramid is made of four maps, but out_indices are {out_indices}: choose four, "
                "such as [3, 5, 7, 11] of twelve blocks"
            )
        self.upsample, self.norm, self.upsample_again = _twice(channels), BatchNorm(epsilon=epsilon), _twice(channels)
        self.activation = activation("gelu")
        self.upsample_second = _twice(channels)

    def call(self, maps):
        """Four maps (B, h, w, C) -> a list of four, from large to small."""
        first, second, third, fourth = maps
        return [
            self.upsample_again(self.activation(self.norm(self.upsample(first)))),
            self.upsample_second(second),
            third,
            max_pool(fourth, 2, 2),
        ]


def _twice(channels):
    return Conv2DTranspose(channels, 2, strides=2)

"""Decoders over the maps of several stages: what the whole picture shows, passed down from the smallest to the largest.

Shapes: B batch, h and w the height and width of a map, C channels.
"""

from keras import ops
from keras.layers import Conv2D

from keras_tfm.layers.base import Layer
from keras_tfm.layers.convolutions import ConvNorm
from keras_tfm.layers.images import resize


def adaptive_average(maps, size):
    """maps (B, h, w, C) -> (B, size, size, C): averages over parts that are as even as can be, and meet or overlap."""

    def shares(length):
        """How much each place counts in each part: (size, length)."""
        parts, places = ops.arange(size)[:, None], ops.arange(length)
        start, stop = parts * length // size, ((parts + 1) * length + size - 1) // size
        inside = ops.logical_and(places >= start, places < stop)
        return ops.cast(inside, maps.dtype) / ops.cast(stop - start, maps.dtype)

    height, width = ops.shape(maps)[1:3]
    maps = ops.einsum("ih,bhwc->biwc", shares(height), maps)
    return ops.einsum("jw,biwc->bijc", shares(width), maps)


class PyramidPooling(Layer):
    """Averages over ever smaller parts of a map, beside the map itself (arXiv:1612.01105).

    Args:
        channels: C of each average.
        scales: into how many rows and columns of parts the map is divided, for each of them.
    """

    def __init__(self, channels, scales, **kwargs):
        super().__init__(**kwargs)
        self.scales = list(scales)
        self.convolutions = [ConvNorm(channels, 1, "relu") for _ in self.scales]

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C + scales * channels)."""
        found = [maps]
        for scale, convolution in zip(self.scales, self.convolutions, strict=True):
            found.append(resize(convolution(adaptive_average(maps, scale)), ops.shape(maps)[1:3]))
        return ops.concatenate(found, axis=-1)


class PyramidHead(Layer):
    """Gives every place of the largest map a class, by what all maps show (arXiv:1807.10221).

    Args:
        levels: how many maps there are.
        channels: C within.
        labels: how many classes.
        scales: as of `PyramidPooling`, of the smallest map.
    """

    def __init__(self, levels, channels, labels, scales, **kwargs):
        super().__init__(**kwargs)
        self.laterals = [ConvNorm(channels, 1, "relu") for _ in range(levels - 1)]
        self.pooling = PyramidPooling(channels, scales)
        self.bottleneck = ConvNorm(channels, 3, "relu")
        self.convolutions = [ConvNorm(channels, 3, "relu") for _ in range(levels - 1)]
        self.fuse = ConvNorm(channels, 3, "relu")
        self.project = Conv2D(labels, 1)

    def call(self, maps):
        """[maps (B, h, w, C), largest first] -> logits (B, h, w, labels), of the first one's size."""
        found = [lateral(x) for lateral, x in zip(self.laterals, maps[:-1], strict=True)]
        found.append(self.bottleneck(self.pooling(maps[-1])))
        sizes = [ops.shape(x)[1:3] for x in found]
        for i in reversed(range(len(found) - 1)):
            found[i] = found[i] + resize(found[i + 1], sizes[i])
        found[:-1] = [convolution(x) for convolution, x in zip(self.convolutions, found[:-1], strict=True)]
        return self.project(self.fuse(ops.concatenate([resize(x, sizes[0]) for x in found], axis=-1)))


class ConvolutionHead(Layer):
    """Gives every place of a map a class, by convolutions alone (arXiv:1411.4038).

    Args:
        channels: C within.
        labels: how many classes.
        depth: how many convolutions come before the last.
        joins: whether one more sees the map besides what they found.
    """

    def __init__(self, channels, labels, depth=1, joins=False, **kwargs):
        super().__init__(**kwargs)
        self.convolutions = [ConvNorm(channels, 3, "relu") for _ in range(depth)]
        self.join = ConvNorm(channels, 3, "relu") if joins else None
        self.project = Conv2D(labels, 1)

    def call(self, maps):
        """maps (B, h, w, C) -> logits (B, h, w, labels)."""
        x = maps
        for convolution in self.convolutions:
            x = convolution(x)
        if self.join is not None:
            x = self.join(ops.concatenate([maps, x], axis=-1))
        return self.project(x)

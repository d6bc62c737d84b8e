"""Convolutions as PyTorch pads them, and their norms.

Shapes: B batch, h and w the height and width of a map, C channels (last).
"""

import keras
from keras import ops
from keras.layers import BatchNormalization, Conv2D, DepthwiseConv2D, GroupNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer


def _registered(cls):
    return keras.saving.register_keras_serializable("keras_tfm")(cls)


class _PadsItself:
    """Zeros around the map (B, h, w, C), by default half a kernel on all four sides, whatever the stride."""

    def __init__(self, *args, strides=1, dilation_rate=1, padding=None, **kwargs):
        super().__init__(*args, strides=strides, dilation_rate=dilation_rate, padding="valid", **kwargs)
        reach = dilation_rate * (self.kernel_size[0] - 1)
        self.border = (reach // 2, reach // 2) if padding is None else padding
        if isinstance(padding, int):
            self.border = (padding, padding)
        evenly = strides == 1 and reach > 0 and self.border == (reach / 2, reach / 2)
        if padding == "same" or evenly:  # (which then is the same)
            self.border, self.padding = (0, 0), "same"

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h', w', C')."""
        return super().call(pad(maps, self.border))

    def compute_output_shape(self, shape):
        batch, height, width, channels = shape
        height, width = (n and n + sum(self.border) for n in (height, width))
        return super().compute_output_shape((batch, height, width, channels))


@_registered
class Convolution(_PadsItself, Conv2D):
    """A convolution: `Convolution(filters, kernel_size, strides=1, padding=None)`.

    `padding`: how many zeros there are on each side, or a pair, above and left, below and right. Default: half a
    kernel. "same" pads as TensorFlow does, which depends on the size of the map where strides are larger than 1.
    """


@_registered
class DepthwiseConvolution(_PadsItself, DepthwiseConv2D):
    """A convolution of each channel on its own: `DepthwiseConvolution(kernel_size, strides=1, padding=None)`."""


def pad(maps, border, value=0.0):
    """maps (B, h, w, C) with a border around: so many pixels, or a pair, above and left, below and right."""
    sides = (border, border) if isinstance(border, int) else border
    if not any(sides):
        return maps
    return ops.pad(maps, ((0, 0), sides, sides, (0, 0)), constant_values=value)


def max_pool(maps, size, strides, border=0):
    """maps (B, h, w, C) -> the largest values of squares, the border counting as nothing."""
    return ops.max_pool(pad(maps, border, -float("inf")), size, strides, "valid", "channels_last")


@_registered
class BatchNorm(BatchNormalization):
    """Batch normalisation with PyTorch's statistics: the running variance is that of a sample, not of the batch."""

    def __init__(self, epsilon=1e-5, momentum=0.9, **kwargs):
        super().__init__(epsilon=epsilon, momentum=momentum, **kwargs)

    def call(self, x, training=None):
        """x (.., C) -> (.., C)."""
        if not (training and self.trainable):
            return super().call(x, training=training)
        before = self.momentum * self.moving_variance
        x = super().call(x, training=training)
        count = ops.cast(ops.size(x) // x.shape[self.axis], self.moving_variance.dtype)
        added = self.moving_variance - before
        self.moving_variance.assign(self.moving_variance + added / ops.maximum(count - 1, 1))
        return x


@_registered
class FrozenBatchNorm(BatchNormalization):
    """A batch normalisation that has learned: it keeps its statistics, its scale and its shift."""

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(epsilon=epsilon, **kwargs, trainable=False)


@_registered
class GroupNorm(GroupNormalization):
    """A group norm that is exact where the values of a group hardly differ, as in maps of few pixels: Keras takes the
    difference of large squares there."""

    def __init__(self, groups=32, epsilon=1e-5, **kwargs):
        super().__init__(groups, epsilon=epsilon, **kwargs)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        batch, height, width = ops.shape(maps)[:3]
        groups = ops.reshape(maps, (batch, height * width, self.groups, maps.shape[3] // self.groups))
        groups = groups - ops.mean(groups, axis=(1, 3), keepdims=True)
        return super().call(ops.reshape(groups, (batch, height, width, maps.shape[3])))


class ConvNorm(Layer):
    """A convolution without bias, its norm and an activation.

    Args:
        filters: C of the output; None for a convolution of each channel on its own.
        kernel_size, strides, dilation_rate, groups, padding: as of `Convolution`.
        act: the activation, by its name in `config.json`. Default: none.
        norm: the class of the norm. Default `BatchNorm`.
        epsilon, momentum: of the norm, momentum in Keras' sense (what stays). Default as in PyTorch.
    """

    def __init__(self, filters, kernel_size, act=None, norm=BatchNorm, epsilon=1e-5, padding=None, **options):
        momentum = {"momentum": options.pop("momentum")} if "momentum" in options else {}
        convolution = {k: options.pop(k) for k in ("strides", "dilation_rate", "groups") if k in options}
        convolution |= {"padding": padding, "use_bias": False}
        super().__init__(**options)
        if filters is None:
            self.convolution = DepthwiseConvolution(kernel_size, **convolution)
        else:
            self.convolution = Convolution(filters, kernel_size, **convolution)
        self.norm = norm(epsilon=epsilon, **momentum)
        self.activation = activation(act or "linear")

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h', w', filters or C)."""
        return self.activation(self.norm(self.convolution(maps)))


class Sequence(Layer):
    """Layers of maps, one after the other."""

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)
        self.blocks = blocks

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h', w', C')."""
        for block in self.blocks:
            maps = block(maps)
        return maps


class InvertedResidual(Layer):
    """A wide convolution of each channel between two narrow ends, and the map added where it can be (arXiv:1801.04381).

    Args:
        channels: C of what comes in.
        filters: C of what goes out.
        hidden: C in between.
        act: the activation of the first two convolutions.
        strides: 2 to halve the map.
        dilation_rate, padding: of the convolution in the middle.
        options: of all norms, see `ConvNorm`.
    """

    def __init__(
        self, channels, filters, hidden, act, strides=1, dilation_rate=1, padding=None, options=None, **kwargs
    ):
        super().__init__(**kwargs)
        options = options or {}
        self.up = ConvNorm(hidden, 1, act, **options)
        self.depthwise = ConvNorm(
            None, 3, act, strides=strides, dilation_rate=dilation_rate, padding=padding, **options
        )
        self.down = ConvNorm(filters, 1, **options)
        self.adds = strides == 1 and channels == filters

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h / strides, w / strides, filters)."""
        y = self.down(self.depthwise(self.up(maps)))
        return maps + y if self.adds else y


def divisible(channels, divisor=8, least=None):
    """The multiple of `divisor` next to a number of channels, at least `least`, no more than a tenth below it."""
    rounded = max(divisor if least is None else least, int(channels + divisor / 2) // divisor * divisor)
    return int(rounded + divisor if rounded < 0.9 * channels else rounded)

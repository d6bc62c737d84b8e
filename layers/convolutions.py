"""Convolutions as PyTorch pads them, and their norms.

Shapes: B batch, h and w the height and width of a map, C channels (last).
"""

import keras
from keras import ops
from keras.layers import BatchNormalization, Conv2D, DepthwiseConv2D

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer


def _registered(cls):
    return keras.saving.register_keras_serializable("keras_tfm")(cls)


class _PadsEvenly:
    """Zeros on all four sides, half a kernel wide, whatever the stride: Keras' "same" pads one side more."""

    def __init__(self, *args, strides=1, dilation_rate=1, padding=None, **kwargs):
        super().__init__(*args, strides=strides, dilation_rate=dilation_rate, padding="valid", **kwargs)
        width = self.kernel_size[0]
        self.border = dilation_rate * (width - 1) // 2 if padding is None else padding
        if strides == 1 and self.border and 2 * self.border == dilation_rate * (width - 1):
            self.border, self.padding = 0, "same"  # which is the same then

    def call(self, maps):
        return super().call(pad(maps, self.border))

    def compute_output_shape(self, shape):
        batch, height, width, channels = shape
        height, width = (n and n + 2 * self.border for n in (height, width))
        return super().compute_output_shape((batch, height, width, channels))


@_registered
class Convolution(_PadsEvenly, Conv2D):
    """A convolution: `Convolution(filters, kernel_size, strides=1, padding=..)`, by default half a kernel of zeros."""


@_registered
class DepthwiseConvolution(_PadsEvenly, DepthwiseConv2D):
    """A convolution of each channel on its own: `DepthwiseConvolution(kernel_size, strides=1, padding=..)`."""


def pad(maps, border, value=0.0):
    """maps (B, h, w, C) with a border around."""
    if not border:
        return maps
    return ops.pad(maps, ((0, 0), (border, border), (border, border), (0, 0)), constant_values=value)


def max_pool(maps, size, strides, border=0):
    """maps (B, h, w, C) -> the largest values of squares, the border counting as nothing."""
    return ops.max_pool(pad(maps, border, -float("inf")), size, strides, "valid", "channels_last")


@_registered
class BatchNorm(BatchNormalization):
    """Batch normalisation with PyTorch's statistics: the running variance is that of a sample, not of the batch."""

    def __init__(self, epsilon=1e-5, momentum=0.9, **kwargs):
        super().__init__(epsilon=epsilon, momentum=momentum, **kwargs)

    def call(self, x, training=None):
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


class ConvNorm(Layer):
    """A convolution without bias, its norm and an activation.

    Args:
        filters: C of the output.
        kernel_size, strides, dilation_rate, groups, padding: as of `Convolution`.
        act: the activation, by its name in `config.json`. Default: none.
        norm: the class of the norm. Default `BatchNorm`.
        epsilon, momentum: of the norm, momentum in Keras' sense (what stays). Default as in PyTorch.
    """

    def __init__(self, filters, kernel_size, act=None, norm=BatchNorm, epsilon=1e-5, padding=None, **options):
        momentum = {"momentum": options.pop("momentum")} if "momentum" in options else {}
        convolution = {k: options.pop(k) for k in ("strides", "dilation_rate", "groups") if k in options}
        super().__init__(**options)
        self.convolution = Convolution(filters, kernel_size, padding=padding, use_bias=False, **convolution)
        self.norm = norm(epsilon=epsilon, **momentum)
        self.activation = activation(act or "linear")

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h', w', filters)."""
        return self.activation(self.norm(self.convolution(maps)))


class Sequence(Layer):
    """Layers of maps, one after the other."""

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)
        self.blocks = blocks

    def call(self, maps):
        for block in self.blocks:
            maps = block(maps)
        return maps

"""BiT: ResNets with group norms and standardised kernels (arXiv:1912.11370).

Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

from dataclasses import dataclass, field

import keras
from keras import ops
from keras.layers import GroupNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.backbones import Backbone, BackboneConfig, hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model, build_unused
from keras_tfm.layers.convolutions import Convolution, Sequence, max_pool, pad
from keras_tfm.layers.image_heads import PooledImageClassification
from keras_tfm.layers.images import channels_first, channels_last
from keras_tfm.layers.vision import drop_path, drop_path_rates


@dataclass(kw_only=True)
class BitConfig(BackboneConfig):
    model_type = "bit"

    num_channels: int = 3
    embedding_size: int = 64
    hidden_sizes: list = field(default_factory=lambda: [256, 512, 1024, 2048])
    depths: list = field(default_factory=lambda: [3, 4, 6, 3])
    layer_type: str = "preactivation"
    hidden_act: str = "relu"
    global_padding: str | None = None
    num_groups: int = 32
    drop_path_rate: float = 0.0
    embedding_dynamic_padding: bool = False
    output_stride: int = 32
    width_factor: int = 1

    def stages(self):
        return len(self.depths)

    def __post_init__(self):
        super().__post_init__()
        if self.layer_type not in ("preactivation", "bottleneck"):
            raise ValueError(f"layer_type must be 'preactivation' or 'bottleneck', not {self.layer_type!r}")
        if self.global_padding is not None:
            self.global_padding = self.global_padding.upper()
        if self.global_padding not in (None, "SAME"):  # "VALID" maps would not fit their shortcuts
            raise ValueError(f"global_padding must be None or 'SAME', not {self.global_padding!r}")


@keras.saving.register_keras_serializable("keras_tfm")
class StandardizedConvolution(Convolution):
    """A convolution whose kernel has mean 0 and variance 1 for each filter (arXiv:1903.10520).

    Args:
        same: whether borders are TensorFlow's: where they are odd, wider below and on the right.
    """

    def __init__(self, filters, kernel_size, strides=1, same=False, **kwargs):
        padding = 0 if same else None
        super().__init__(filters, kernel_size, strides=strides, padding=padding, use_bias=False, **kwargs)
        if same:
            self.padding = "same"

    def convolution_op(self, inputs, kernel):
        kernel = ops.convert_to_tensor(kernel)
        mean, variance = ops.moments(kernel, axes=(0, 1, 2), keepdims=True)
        return super().convolution_op(inputs, (kernel - mean) * ops.rsqrt(variance + 1e-8))


class BitNorm(Layer):
    """A group norm and, unless told otherwise, an activation."""

    def __init__(self, c, act=True, **kwargs):
        super().__init__(**kwargs)
        self.norm = GroupNormalization(c.num_groups, epsilon=1e-5)
        self.activation = activation(c.hidden_act if act else "linear")

    def call(self, maps):
        return self.activation(self.norm(maps))


class BitBlock(Layer):
    """Three convolutions, each with a norm before it ("preactivation") or behind it, and what came in added.

    Args:
        c: the configuration.
        filters: C of what goes out.
        strides: 2 to halve the map.
        dilation: of the second convolution, if norms are behind.
        shortcut: whether what came in goes through a convolution, too.
        drop_path_rate: how often, in training, nothing is added to it.
    """

    def __init__(self, c, filters, strides, dilation, shortcut, drop_path_rate, **kwargs):
        super().__init__(**kwargs)
        self.norms_first, same = c.layer_type == "preactivation", c.global_padding == "SAME"
        inner, dilation = divisible(filters / 4), 1 if self.norms_first else dilation
        self.convolutions = [
            StandardizedConvolution(inner, 1, same=same),
            StandardizedConvolution(inner, 3, strides, same=same, dilation_rate=dilation),
            StandardizedConvolution(filters, 1, same=same),
        ]
        self.norms = [BitNorm(c, act=self.norms_first or i < 2) for i in range(3)]
        self.shortcut = StandardizedConvolution(filters, 1, strides, same=same) if shortcut else None
        self.shortcut_norm = BitNorm(c, act=False) if shortcut and not self.norms_first else None
        self.drop_path = drop_path(drop_path_rate, axes=3)
        self.activation = activation("linear" if self.norms_first else c.hidden_act)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h / strides, w / strides, filters)."""
        y, first = maps, None
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            if self.norms_first:
                y = norm(y)
                first = y if first is None else first
            y = convolution(y)
            y = y if self.norms_first else norm(y)
        if self.shortcut is not None:
            maps = self.shortcut(first if self.norms_first else maps)
            maps = maps if self.shortcut_norm is None else self.shortcut_norm(maps)
        return self.activation(self.drop_path(y) + maps)


def divisible(channels, by=8):
    """The multiple of 8 next to a number of channels, but not less than nine tenths of it."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


class BitStem(Layer):
    """A wide convolution and a pool, which make the map four times smaller."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.same = c.global_padding == "SAME"
        self.pools_same = c.embedding_dynamic_padding
        self.convolution = StandardizedConvolution(c.embedding_size, 7, 2, same=self.same)
        self.norm = None if c.layer_type == "preactivation" else BitNorm(c)

    def call(self, images):
        """images (B, h, w, 3) -> (B, h / 4, w / 4, C)."""
        maps = self.convolution(images)
        maps = maps if self.same else pad(maps, 1)
        maps = maps if self.norm is None else self.norm(maps)
        if self.pools_same:  # with zeros as TensorFlow puts them, up to whole squares
            height, width = ops.shape(maps)[1:3]
            maps = ops.pad(maps, ((0, 0), (height % 2, 1), (width % 2, 1), (0, 0)))
        return max_pool(maps, 3, 2)


class BitModel(Model):
    """The stages, and an average over the last map.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, C, h / 32,
    w / 32), pooler_output (B, C, 1, 1) and, where asked for, hidden_states: the maps of the stem and of each stage.
    """

    config_class = BitConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.embeddings = BitStem(c)
        self.channels = [c.embedding_size, *(divisible(size * c.width_factor) for size in c.hidden_sizes)]
        self.stages = self.make_stages()
        self.norm = BitNorm(c) if c.layer_type == "preactivation" else None

    def make_stages(self):
        """They halve the map until it is `output_stride` times smaller than the picture; then kernels widen."""
        c, shrunk, dilation, stages = self.config, 4, 1, []
        for filters, (rate, *rates) in zip(self.channels[1:], drop_path_rates(c.drop_path_rate, c.depths), strict=True):
            strides = 2 if stages else 1
            if shrunk >= c.output_stride:
                dilation, strides = dilation * strides, 1
            first = BitBlock(c, filters, strides, 1 if dilation < 4 else 2, True, rate)
            others = [BitBlock(c, filters, 1, dilation, False, rate) for rate in rates]
            stages.append(Sequence([first, *others]))
            shrunk *= strides
        return stages

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def maps(self, inputs):
        """The maps (B, h, w, C) of the stem and of each stage."""
        stem = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        return run_stages(self.stages, stem)

    def call(self, inputs, output_hidden_states=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        maps = self.maps(inputs)
        last = maps[-1] if self.norm is None else self.norm(maps[-1])
        return {
            "last_hidden_state": channels_first(last),
            "pooler_output": channels_first(ops.mean(last, axis=(1, 2), keepdims=True)),
        } | hidden_maps(self.config, output_hidden_states, maps)


class BitForImageClassification(PooledImageClassification):
    backbone_class = BitModel


class BitBackbone(Backbone, BitModel):
    """The same, handing out the maps of the stages that the configuration names, before the last norm."""

    def maps(self, inputs):
        maps = super().maps(inputs)
        if self.norm is not None:
            build_unused(self.norm, maps[-1])
        return maps

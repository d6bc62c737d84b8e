"""EfficientNet: MobileNetV2's blocks with weighed channels, depth and width growing together (arXiv:1905.11946).

Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

import math
from dataclasses import dataclass, field

from keras import ops
from keras.layers import Conv2D, Dropout

from keras_tfm.layers.activations import activation
from keras_tfm.layers.backbones import hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.config import Config
from keras_tfm.layers.convolutions import ConvNorm, divisible
from keras_tfm.layers.image_heads import PooledImageClassification
from keras_tfm.layers.images import channels_first, channels_last, pair


@dataclass(kw_only=True)
class EfficientNetConfig(Config):
    model_type = "efficientnet"

    num_channels: int = 3
    image_size: int = 600
    width_coefficient: float = 2.0
    depth_coefficient: float = 3.1
    depth_divisor: int = 8
    kernel_sizes: list = field(default_factory=lambda: [3, 3, 5, 3, 5, 5, 3])
    in_channels: list = field(default_factory=lambda: [32, 16, 24, 40, 80, 112, 192])
    out_channels: list = field(default_factory=lambda: [16, 24, 40, 80, 112, 192, 320])
    depthwise_padding: list = field(default_factory=list)
    strides: list = field(default_factory=lambda: [1, 2, 2, 2, 1, 2, 1])
    num_block_repeats: list = field(default_factory=lambda: [1, 2, 2, 3, 3, 4, 1])
    expand_ratios: list = field(default_factory=lambda: [1, 6, 6, 6, 6, 6, 6])
    squeeze_expansion_ratio: float = 0.25
    hidden_act: str = "swish"
    hidden_dim: int = 2560
    pooling_type: str = "mean"
    initializer_range: float = 0.02
    batch_norm_eps: float = 0.001
    batch_norm_momentum: float = 0.99
    dropout_rate: float = 0.5
    drop_connect_rate: float = 0.2

    def __post_init__(self):
        super().__post_init__()
        if self.pooling_type not in ("mean", "max"):
            raise ValueError(f"pooling_type must be 'mean' or 'max', not {self.pooling_type!r}")

    def width(self, channels):
        """C of a layer that has `channels` in the smallest network."""
        return divisible(channels * self.width_coefficient, self.depth_divisor)

    @property
    def norms(self):
        """The options of most norms. PyTorch calls momentum what goes."""
        return {"epsilon": self.batch_norm_eps, "momentum": 1 - self.batch_norm_momentum}

    def blocks(self):
        """The sizes of each block, as arguments of `EfficientNetBlock`."""
        sizes = []
        for channels, filters, repeats, strides, kernel_size, ratio in zip(
            self.in_channels,
            self.out_channels,
            self.num_block_repeats,
            self.strides,
            self.kernel_sizes,
            self.expand_ratios,
            strict=True,
        ):
            shared = {"filters": self.width(filters), "kernel_size": kernel_size, "expand_ratio": ratio}
            sizes.append({"channels": self.width(channels), "strides": strides, "first": True} | shared)
            further = math.ceil(self.depth_coefficient * repeats) - 1
            sizes += [{"channels": shared["filters"], "strides": 1, "first": False} | shared] * further
        return sizes


class SqueezeExcite(Layer):
    """Weighs each channel by what a small network makes of the average over the map (arXiv:1709.01507).

    Args:
        channels: C.
        hidden: the width of the network.
        act: its activation.
    """

    def __init__(self, channels, hidden, act, **kwargs):
        super().__init__(**kwargs)
        self.down, self.up = Conv2D(hidden, 1), Conv2D(channels, 1)
        self.activation = activation(act)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        average = ops.mean(maps, axis=(1, 2), keepdims=True)
        return maps * ops.sigmoid(self.up(self.activation(self.down(average))))


class EfficientNetBlock(Layer):
    """Widens a map, filters and weighs each channel and narrows it again; from the second block of a stage on, what
    came in is added.

    Args:
        c: the configuration.
        index: its place among all blocks.
        dropout: the rate, in training, at which what comes to the map is dropped.
        channels, filters: C of what comes in and of what goes out.
        strides, kernel_size: of the convolution of each channel.
        expand_ratio: how much wider it is than `channels`.
        first: whether it is the first of its stage.
    """

    def __init__(self, c, index, dropout, channels, filters, strides, kernel_size, expand_ratio, first, **kwargs):
        super().__init__(**kwargs)
        hidden, half = channels * expand_ratio, kernel_size // 2
        self.up = ConvNorm(hidden, 1, c.hidden_act, epsilon=c.batch_norm_eps) if expand_ratio != 1 else None
        before = half if index in c.depthwise_padding else half - 1
        padding = (before, half) if strides == 2 else None
        self.depthwise = ConvNorm(None, kernel_size, c.hidden_act, strides=strides, padding=padding, **c.norms)
        self.gate = SqueezeExcite(hidden, max(1, int(channels * c.squeeze_expansion_ratio)), c.hidden_act)
        self.down = ConvNorm(filters, 1, **c.norms)
        self.adds = strides == 1 and not first
        self.dropout = Dropout(dropout)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h / strides, w / strides, filters)."""
        y = maps if self.up is None else self.up(maps)
        y = self.down(self.gate(self.depthwise(y)))
        return maps + self.dropout(y) if self.adds else y


class EfficientNetModel(Model):
    """The blocks, one more convolution, and an average over its map (or the largest values).

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, C, h / 32,
    w / 32), pooler_output (B, C) and, where asked for, hidden_states: the maps of the stem and of each block.
    """

    config_class = EfficientNetConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.embeddings = ConvNorm(c.width(32), 3, c.hidden_act, strides=2, padding=(0, 1), **c.norms)
        sizes, rate = c.blocks(), c.drop_connect_rate
        self.blocks = [EfficientNetBlock(c, i, rate * i / len(sizes), **size) for i, size in enumerate(sizes)]
        self.neck = ConvNorm(c.width(1280), 1, c.hidden_act, **c.norms)

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def building_signature(self):  # small pictures end before the last block
        return {"pixel_values": ((None, self.config.num_channels, *pair(self.config.image_size)), "float32")}

    def call(self, inputs, output_hidden_states=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        stem = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        maps = run_stages(self.blocks, stem)
        last = self.neck(maps[-1])
        pool = ops.mean if self.config.pooling_type == "mean" else ops.max
        return {
            "last_hidden_state": channels_first(last),
            "pooler_output": pool(last, axis=(1, 2)),
        } | hidden_maps(self.config, output_hidden_states, maps)


class EfficientNetForImageClassification(PooledImageClassification):
    backbone_class = EfficientNetModel

    def dropout_rate(self):
        return self.config.dropout_rate

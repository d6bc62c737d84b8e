"""PoolFormer: a transformer's blocks with plain average pooling in the place of attention (arXiv:2111.11418).

Shapes: B batch, h and w the height and width of a picture or map, C channels of a stage.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.layers import Conv2D, GroupNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.backbones import hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.config import Config
from keras_tfm.layers.convolutions import Convolution
from keras_tfm.layers.image_heads import ImageClassification
from keras_tfm.layers.images import channels_first, channels_last
from keras_tfm.layers.vision import Scale, drop_path, drop_path_rates


@dataclass(kw_only=True)
class PoolFormerConfig(Config):
    model_type = "poolformer"

    num_channels: int = 3
    patch_size: int = 16
    stride: int = 16
    pool_size: int = 3
    mlp_ratio: float = 4.0
    depths: list = field(default_factory=lambda: [2, 2, 6, 2])
    hidden_sizes: list = field(default_factory=lambda: [64, 128, 320, 512])
    patch_sizes: list = field(default_factory=lambda: [7, 3, 3, 3])
    strides: list = field(default_factory=lambda: [4, 2, 2, 2])
    padding: list = field(default_factory=lambda: [2, 1, 1, 1])
    num_encoder_blocks: int = 4
    drop_path_rate: float = 0.0
    hidden_act: str = "gelu"
    use_layer_scale: bool = True
    layer_scale_init_value: float = 1e-5
    initializer_range: float = 0.02

    def __post_init__(self):
        super().__post_init__()
        if self.pool_size % 2 == 0:
            raise ValueError(f"pool_size must be odd, so that maps keep their size, not {self.pool_size}")


def map_norm():
    """The norm of maps: of all places and channels together."""
    return GroupNormalization(groups=1, epsilon=1e-5)


class PoolFormerMLP(Layer):
    """Two convolutions of single places with an activation between them."""

    def __init__(self, channels, hidden, act, **kwargs):
        super().__init__(**kwargs)
        self.up, self.down = Conv2D(hidden, 1), Conv2D(channels, 1)
        self.activation = activation(act)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        return self.down(self.activation(self.up(maps)))


class PoolFormerBlock(Layer):
    """How each place differs from the average around it, and an MLP, each on normalised input and added to it.

    Args:
        c: the configuration.
        channels: C.
        drop_path_rate: how often a branch is dropped in training.
    """

    def __init__(self, c, channels, drop_path_rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = c.pool_size
        self.pool_norm, self.mlp_norm = map_norm(), map_norm()
        self.mlp = PoolFormerMLP(channels, int(channels * c.mlp_ratio), c.hidden_act)
        self.pool_scale = Scale(c.layer_scale_init_value) if c.use_layer_scale else None
        self.mlp_scale = Scale(c.layer_scale_init_value) if c.use_layer_scale else None
        self.drop_path = drop_path(drop_path_rate, axes=3)

    def pool(self, maps):
        """maps (B, h, w, C) -> the average around each place, of what lies in the map, less the place itself."""
        return ops.average_pool(maps, self.pool_size, 1, "same", "channels_last") - maps

    def branch(self, y, scale):
        """What a branch adds."""
        return self.drop_path(y if scale is None else scale(y))

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        maps = maps + self.branch(self.pool(self.pool_norm(maps)), self.pool_scale)
        return maps + self.branch(self.mlp(self.mlp_norm(maps)), self.mlp_scale)


class PoolFormerStage(Layer):
    """A convolution that makes the map smaller, and blocks."""

    def __init__(self, downsample, blocks, **kwargs):
        super().__init__(**kwargs)
        self.downsample, self.blocks = downsample, blocks

    def call(self, maps):
        """maps (B, h, w, C of the stage before) -> (B, h / stride, w / stride, C)."""
        maps = self.downsample(maps)
        for block in self.blocks:
            maps = block(maps)
        return maps


class PoolFormerModel(Model):
    """The stages.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, C, h / 32,
    w / 32) and, where asked for, hidden_states: the maps of each stage.
    """

    config_class = PoolFormerConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.stages = [self.make_stage(i, rates) for i, rates in enumerate(drop_path_rates(c.drop_path_rate, c.depths))]

    def make_stage(self, index, drop_path_rates):
        """A stage, counted from 0, with so many blocks as there are rates."""
        c, channels = self.config, self.config.hidden_sizes[index]
        downsample = Convolution(channels, c.patch_sizes[index], strides=c.strides[index], padding=c.padding[index])
        return PoolFormerStage(downsample, [PoolFormerBlock(c, channels, rate) for rate in drop_path_rates])

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def call(self, inputs, output_hidden_states=None, training=None):
        """inputs as above -> last_hidden_state and what else is asked for."""
        maps = run_stages(self.stages, channels_last(inputs["pixel_values"], self.config.num_channels))[1:]
        return {"last_hidden_state": channels_first(maps[-1])} | hidden_maps(self.config, output_hidden_states, maps)


class PoolFormerForImageClassification(ImageClassification):
    """Classifies the picture, by a dense layer on the average over its last map, normalised: logits (B, labels)."""

    backbone_class = PoolFormerModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.norm = map_norm()

    def pooled(self, outputs):
        return ops.mean(self.norm(channels_last(outputs["last_hidden_state"])), axis=(1, 2))

"""ConvNeXT: stages of large depthwise convolutions, each with an MLP at every place behind it (arXiv:2201.03545).

Shapes: B batch, h and w the height and width of a picture or map, C channels of a stage.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.layers import Conv2D, LayerNormalization

from keras_tfm.layers.backbones import Backbone, BackboneConfig, StageNorms, hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.convolutions import DepthwiseConvolution
from keras_tfm.layers.image_heads import PooledImageClassification
from keras_tfm.layers.images import channels_first, channels_last
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.vision import Scale, drop_path, drop_path_rates


@dataclass(kw_only=True)
class ConvNextConfig(BackboneConfig):
    model_type = "convnext"

    num_channels: int = 3
    patch_size: int = 4
    num_stages: int = 4
    hidden_sizes: list = field(default_factory=lambda: [96, 192, 384, 768])
    depths: list = field(default_factory=lambda: [3, 3, 9, 3])
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    layer_scale_init_value: float = 1e-6
    drop_path_rate: float = 0.0
    image_size: int = 224

    def stages(self):
        return len(self.depths)


def map_norm():
    """The norm of maps: of the channels at each place."""
    return LayerNormalization(epsilon=1e-6)


class ConvNextBlock(Layer):
    """A depthwise convolution, a norm and an MLP; the sum, scaled channel by channel, is added.

    Args:
        c: the configuration.
        channels: C.
        drop_path_rate: how often the sum is dropped in training.
    """

    def __init__(self, c, channels, drop_path_rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.convolution = DepthwiseConvolution(7)
        self.norm = map_norm()
        self.mlp = self.make_mlp(c, channels)
        self.scale = self.make_scale(c)
        self.drop_path = drop_path(drop_path_rate, axes=3)

    def make_mlp(self, c, channels):
        return MLP(channels, 4 * channels, c.hidden_act)

    def make_scale(self, c):
        return Scale(c.layer_scale_init_value) if c.layer_scale_init_value > 0 else None

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        y = self.mlp(self.norm(self.convolution(maps)))
        return maps + self.drop_path(y if self.scale is None else self.scale(y))


class ConvNextStage(Layer):
    """Blocks, as a rule behind a norm and a convolution that halves the map.

    Args:
        blocks: the blocks.
        channels: C of the blocks; None where the map stays as it is.
    """

    def __init__(self, blocks, channels=None, **kwargs):
        super().__init__(**kwargs)
        self.norm = map_norm() if channels else None
        self.downsample = Conv2D(channels, 2, strides=2) if channels else None
        self.blocks = blocks

    def call(self, maps):
        """maps (B, h, w, C of the stage before) -> (B, h / 2, w / 2, C)."""
        if self.downsample is not None:
            maps = self.downsample(self.norm(maps))
        for block in self.blocks:
            maps = block(maps)
        return maps


class ConvNextModel(Model):
    """The stages, an average over the last map, and a norm.

    Call it with a dict of pixel_values (B, 3, h, w) of any size from 32 x 32. It returns a dict of last_hidden_state
    (B, C, h / 32, w / 32), pooler_output (B, C) and, where asked for, hidden_states: the maps of the stem and of each
    stage.
    """

    config_class = ConvNextConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}
    block = ConvNextBlock

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.embeddings = Conv2D(c.hidden_sizes[0], c.patch_size, strides=c.patch_size)
        self.embeddings_norm = map_norm()
        self.channels = [c.hidden_sizes[0], *c.hidden_sizes]
        self.stages = [self.make_stage(i, rates) for i, rates in enumerate(drop_path_rates(c.drop_path_rate, c.depths))]
        self.norm = self.make_norm()

    def make_stage(self, index, drop_path_rates):
        """A stage, counted from 0, with so many blocks as there are rates."""
        channels = self.channels[index + 1]
        blocks = [self.block(self.config, channels, rate) for rate in drop_path_rates]
        return ConvNextStage(blocks, channels if index else None)

    def make_norm(self):
        """The norm of the average."""
        return LayerNormalization(epsilon=self.config.layer_norm_eps)

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def building_signature(self):
        size = self.config.patch_size * 2 ** (len(self.stages) - 1)
        return {"pixel_values": ((None, self.config.num_channels, size, size), "float32")}

    def maps(self, inputs):
        """The maps (B, h, w, C) of the stem and of each stage."""
        patches = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        return run_stages(self.stages, self.embeddings_norm(patches))

    def call(self, inputs, output_hidden_states=None, training=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        maps = self.maps(inputs)
        return {
            "last_hidden_state": channels_first(maps[-1]),
            "pooler_output": self.norm(ops.mean(maps[-1], axis=(1, 2))),
        } | hidden_maps(self.config, output_hidden_states, maps)


class ConvNextForImageClassification(PooledImageClassification):
    backbone_class = ConvNextModel


class ConvNextBackbone(Backbone, ConvNextModel):
    """The same, handing out the maps of the stages that the configuration names, normalised."""

    def make_norm(self):
        return None

    def make_norms(self):
        return StageNorms(self.config.out_features, epsilon=1e-6)

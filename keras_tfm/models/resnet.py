"""ResNet: stages of convolutions with shortcuts around them (arXiv:1512.03385).

Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

from dataclasses import dataclass, field

from keras import ops

from keras_tfm.layers.activations import activation
from keras_tfm.layers.backbones import Backbone, BackboneConfig, hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.convolutions import BatchNorm, ConvNorm, Sequence, max_pool
from keras_tfm.layers.image_heads import PooledImageClassification
from keras_tfm.layers.images import channels_first, channels_last


@dataclass(kw_only=True)
class ResNetConfig(BackboneConfig):
    model_type = "resnet"

    num_channels: int = 3
    embedding_size: int = 64
    hidden_sizes: list = field(default_factory=lambda: [256, 512, 1024, 2048])
    depths: list = field(default_factory=lambda: [3, 4, 6, 3])
    layer_type: str = "bottleneck"
    hidden_act: str = "relu"
    downsample_in_first_stage: bool = False
    downsample_in_bottleneck: bool = False

    def stages(self):
        return len(self.depths)

    def __post_init__(self):
        super().__post_init__()
        if self.layer_type not in ("basic", "bottleneck"):
            raise ValueError(f"layer_type must be 'basic' or 'bottleneck', not {self.layer_type!r}")


class ResNetBlock(Layer):
    """Two or three convolutions, and what came in added; by one more convolution where sizes differ.

    Args:
        c: the configuration.
        channels: C of what comes in.
        filters: C of what goes out.
        strides: 2 to halve the map.
        norm: the class of the norms.
        dilations: how far apart the pixels are that the first of the 3 x 3 convolutions looks at, and the second.
    """

    def __init__(self, c, channels, filters, strides=1, norm=BatchNorm, dilations=(1, 1), **kwargs):
        super().__init__(**kwargs)
        near, far = dilations
        if c.layer_type == "basic":
            shapes = [(filters, 3, strides, near), (filters, 3, 1, far)]
        else:
            inner, steps = filters // 4, (strides, 1) if c.downsample_in_bottleneck else (1, strides)
            shapes = [(inner, 1, steps[0], 1), (inner, 3, steps[1], near), (filters, 1, 1, 1)]
        self.convolutions = [
            ConvNorm(width, size, "relu" if i < len(shapes) else None, norm, strides=step, dilation_rate=dilation)
            for i, (width, size, step, dilation) in enumerate(shapes, 1)
        ]
        differ = channels != filters or strides != 1
        self.shortcut = ConvNorm(filters, 1, norm=norm, strides=strides) if differ else None
        self.activation = activation(c.hidden_act)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h / strides, w / strides, filters)."""
        y = maps
        for convolution in self.convolutions:
            y = convolution(y)
        return self.activation(y + (maps if self.shortcut is None else self.shortcut(maps)))


class ResNetModel(Model):
    """The stages, and an average over the last map.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, C, h / 32,
    w / 32), pooler_output (B, C, 1, 1) and, where asked for, hidden_states: the maps of the stem and of each stage.
    """

    config_class = ResNetConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}
    norm = BatchNorm

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.embeddings = ConvNorm(c.embedding_size, 7, c.hidden_act, self.norm, strides=2)
        self.channels = [c.embedding_size, *c.hidden_sizes]
        self.stages = [Sequence(self.make_stage(i, depth)) for i, depth in enumerate(c.depths)]

    def make_stage(self, index, depth):
        """The blocks of a stage, counted from 0."""
        channels, filters = self.channels[index : index + 2]
        strides, (before, now) = self.steps(index)
        first = ResNetBlock(self.config, channels, filters, strides, self.norm, (before, now))
        others = [ResNetBlock(self.config, filters, filters, 1, self.norm, (now, now)) for _ in range(depth - 1)]
        return [first, *others]

    def steps(self, index):
        """The strides of a stage, and the dilations of the stage before and of this one."""
        return 2 if index > 0 or self.config.downsample_in_first_stage else 1, (1, 1)

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def maps(self, inputs):
        """The maps (B, h, w, C) of the stem and of each stage."""
        stem = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        return run_stages(self.stages, max_pool(stem, 3, 2, border=1))

    def call(self, inputs, output_hidden_states=None, training=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        maps = self.maps(inputs)
        pooled = ops.mean(maps[-1], axis=(1, 2), keepdims=True)
        return {
            "last_hidden_state": channels_first(maps[-1]),
            "pooler_output": channels_first(pooled),
        } | hidden_maps(self.config, output_hidden_states, maps)


class ResNetForImageClassification(PooledImageClassification):
    backbone_class = ResNetModel


class ResNetBackbone(Backbone, ResNetModel):
    """The same, handing out the maps of the stages that the configuration names."""

    def freeze(self):
        """As `Backbone.freeze`; the stem and the first stage, which see what all pictures have, do not learn either."""
        super().freeze()
        self.embeddings.trainable = self.stages[0].trainable = False

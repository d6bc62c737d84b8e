"""MobileNetV2: blocks of convolutions that widen a map, filter each channel and narrow it again (arXiv:1801.04381).

Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Conv2D, SpatialDropout2D

from keras_tfm.layers.backbones import hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.config import Config
from keras_tfm.layers.convolutions import ConvNorm, InvertedResidual, divisible
from keras_tfm.layers.heads import respond
from keras_tfm.layers.image_heads import PooledImageClassification, SemanticSegmentation
from keras_tfm.layers.images import channels_first, channels_last

# C of the stem and of each block, and the strides of the blocks.
CHANNELS = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
STRIDES = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]


@dataclass(kw_only=True)
class MobileNetV2Config(Config):
    model_type = "mobilenet_v2"

    num_channels: int = 3
    image_size: int = 224
    depth_multiplier: float = 1.0
    depth_divisible_by: int = 8
    min_depth: int = 8
    expand_ratio: float = 6.0
    output_stride: int = 32
    first_layer_is_expansion: bool = True
    finegrained_output: bool = True
    hidden_act: str = "relu6"
    tf_padding: bool = True
    classifier_dropout_prob: float = 0.8
    initializer_range: float = 0.02
    layer_norm_eps: float = 0.001
    semantic_loss_ignore_index: int = 255

    def __post_init__(self):
        super().__post_init__()
        if self.depth_multiplier <= 0:
            raise ValueError(f"depth_multiplier must be greater than 0, not {self.depth_multiplier}")

    def width(self, channels):
        """C of a layer that has `channels` in the original network."""
        return self.round(round(channels * self.depth_multiplier))

    def round(self, channels):
        return divisible(channels, self.depth_divisible_by, self.min_depth)

    @property
    def padding(self):
        """Of the convolutions, see `Convolution`."""
        return "same" if self.tf_padding else None

    def norms(self, epsilon=None):
        """The options of the norms. PyTorch calls momentum what goes, and the reference says 0.997."""
        return {"epsilon": self.layer_norm_eps if epsilon is None else epsilon, "momentum": 1 - 0.997}

    def steps(self):
        """The strides and the dilation of each block: once maps are `output_stride` times smaller than the picture,
        they stay so, and what would be strides spreads the kernels of the blocks that follow."""
        reached, dilation, steps = 2, 1, []
        for strides in STRIDES:
            if reached == self.output_stride:
                steps.append((1, dilation))
                dilation *= strides
            else:
                steps.append((strides, 1))
                reached *= strides
        return steps


class MobileNetV2Stem(Layer):
    """The first convolution, which halves the picture, and a block on it."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width, norms = c.width(32), c.norms()
        self.convolution = ConvNorm(width, 3, c.hidden_act, strides=2, padding=c.padding, **norms)
        self.up = None if c.first_layer_is_expansion else ConvNorm(width, 1, c.hidden_act, **norms)
        self.depthwise = ConvNorm(None, 3, c.hidden_act, padding=c.padding, **norms)
        self.down = ConvNorm(c.width(CHANNELS[0]), 1, **norms)

    def call(self, images):
        """images (B, h, w, 3) -> (B, h / 2, w / 2, C)."""
        maps = self.convolution(images)
        return self.down(self.depthwise(maps if self.up is None else self.up(maps)))


class MobileNetV2Model(Model):
    """The blocks, one more convolution, and an average over its map.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, C, h / 32,
    w / 32), pooler_output (B, C) and, where asked for, hidden_states: the maps of each block.
    """

    config_class = MobileNetV2Config
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.embeddings = MobileNetV2Stem(c)
        widths = [c.width(channels) for channels in CHANNELS]
        self.blocks = [
            self.make_block(*sizes, *steps) for *sizes, steps in zip(widths[:-1], widths[1:], c.steps(), strict=True)
        ]
        stays_wide = c.finegrained_output and c.depth_multiplier < 1
        self.neck = ConvNorm(1280 if stays_wide else c.width(1280), 1, c.hidden_act, **c.norms())

    def make_block(self, channels, filters, strides, dilation):
        c = self.config
        hidden = c.round(round(channels * c.expand_ratio))
        return InvertedResidual(
            channels, filters, hidden, c.hidden_act, strides, dilation, padding=c.padding, options=c.norms()
        )

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def call(self, inputs, output_hidden_states=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        stem = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        _, *maps = run_stages(self.blocks, stem)
        last = self.neck(maps[-1])
        return {
            "last_hidden_state": channels_first(last),
            "pooler_output": ops.mean(last, axis=(1, 2)),
        } | hidden_maps(self.config, output_hidden_states, maps)


class MobileNetV2ForImageClassification(PooledImageClassification):
    backbone_class = MobileNetV2Model

    def dropout_rate(self):
        return self.config.classifier_dropout_prob


class MobileNetV2SegmentationHead(Layer):
    """Each pixel beside the average over the map, and the classes of both (arXiv:1802.02611)."""

    def __init__(self, c, width=256, **kwargs):
        super().__init__(**kwargs)
        norms = c.norms(epsilon=1e-5)
        self.pooler = ConvNorm(width, 1, "relu", **norms)
        self.convolution = ConvNorm(width, 1, "relu", **norms)
        self.project = ConvNorm(width, 1, "relu", **norms)
        self.dropout = SpatialDropout2D(c.classifier_dropout_prob, data_format="channels_last")
        self.classifier = Conv2D(c.num_labels, 1)

    def call(self, maps):
        """maps (B, h, w, C) -> logits (B, h, w, labels)."""
        pixels = self.convolution(maps)
        average = self.pooler(ops.mean(maps, axis=(1, 2), keepdims=True))
        both = ops.concatenate([ops.broadcast_to(average, ops.shape(pixels)), pixels], axis=-1)
        return self.classifier(self.dropout(self.project(both)))


class MobileNetV2ForSemanticSegmentation(SemanticSegmentation):
    backbone_class = MobileNetV2Model

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = MobileNetV2SegmentationHead(self.config)
        self.backbone.neck.trainable = False  # nobody reads its map here

    def call(self, inputs, output_hidden_states=None, training=None):
        """inputs -> logits (B, labels, h / 32, w / 32)."""
        outputs = self.backbone(inputs, output_hidden_states=True, training=training)
        maps = channels_last(outputs["hidden_states"][-1])
        asked = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        return respond({"logits": channels_first(self.head(maps))}, outputs if asked else {})

"""SegFormer: a pyramid of transformers without positions, and a decoder of dense layers alone (arXiv:2105.15203).

Shapes: B batch, h and w the height and width of a picture or map, C channels of a stage, T places (h * w), S those that
they look at, H heads.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.layers import Conv2D, Dense, Dropout, LayerNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.config import Config
from keras_tfm.layers.convolutions import ConvNorm, Convolution, DepthwiseConvolution
from keras_tfm.layers.heads import respond
from keras_tfm.layers.image_heads import ImageClassification, SemanticSegmentation
from keras_tfm.layers.images import channels_first, channels_last, flatten, resize, unflatten
from keras_tfm.layers.vision import drop_path, drop_path_rates
from keras_tfm.training.losses import BinarySegmentationLoss


@dataclass(kw_only=True)
class SegformerConfig(Config):
    model_type = "segformer"

    num_channels: int = 3
    num_encoder_blocks: int = 4
    depths: list = field(default_factory=lambda: [2, 2, 2, 2])
    sr_ratios: list = field(default_factory=lambda: [8, 4, 2, 1])
    hidden_sizes: list = field(default_factory=lambda: [32, 64, 160, 256])
    patch_sizes: list = field(default_factory=lambda: [7, 3, 3, 3])
    strides: list = field(default_factory=lambda: [4, 2, 2, 2])
    num_attention_heads: list = field(default_factory=lambda: [1, 2, 5, 8])
    mlp_ratios: list = field(default_factory=lambda: [4, 4, 4, 4])
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    classifier_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    drop_path_rate: float = 0.1
    layer_norm_eps: float = 1e-6  # which nothing heeds: all norms have 1e-5
    decoder_hidden_size: int = 256
    semantic_loss_ignore_index: int = 255
    reshape_last_stage: bool = True


def map_norm():
    """The norm of maps: of the channels at each place."""
    return LayerNormalization(epsilon=1e-5)


class ReducedAttention(Attention):
    """Attention of every place of a map to the places of a smaller one, which a convolution makes of it.

    Args:
        width, heads, dropout: as of `Attention`.
        ratio: by how much the smaller map is smaller; 1 for the map itself.
    """

    def __init__(self, width, heads, ratio, **options):
        super().__init__(width, heads, **options)
        self.downsample = Conv2D(width, ratio, strides=ratio) if ratio > 1 else None
        self.norm = map_norm() if ratio > 1 else None

    def call(self, maps, weights=False, training=None):
        """maps (B, h, w, C) -> (B, h, w, C), the attention weights (B, H, T, S) or None."""
        small = maps if self.downsample is None else self.norm(self.downsample(maps))
        y, _, seen = super().call(flatten(maps), flatten(small), weights=weights, training=training)
        return unflatten(y, *ops.shape(maps)[1:3]), seen


class MixMLP(Layer):
    """An MLP that sees the neighbours of each place, by a depthwise convolution before the activation.

    Args:
        width, hidden, act, dropout: as of `MLP`.
    """

    def __init__(self, width, hidden, act, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.up = Dense(hidden)
        self.convolution = DepthwiseConvolution(3)
        self.activation = activation(act)
        self.dropout = Dropout(dropout)
        self.down = Dense(width)

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        return self.down(self.dropout(self.activation(self.convolution(self.up(maps)))))


class SegformerBlock(Layer):
    """Attention and an MLP, each on normalised input and added to it; a stage's, counted from 0."""

    def __init__(self, c, stage, drop_path_rate=0.0, **kwargs):
        super().__init__(**kwargs)
        width, heads, ratio = c.hidden_sizes[stage], c.num_attention_heads[stage], c.sr_ratios[stage]
        self.attention_norm, self.mlp_norm = map_norm(), map_norm()
        self.attention = ReducedAttention(width, heads, ratio, dropout=c.attention_probs_dropout_prob)
        self.mlp = MixMLP(width, int(width * c.mlp_ratios[stage]), c.hidden_act, c.hidden_dropout_prob)
        self.dropout, self.drop_path = Dropout(c.hidden_dropout_prob), drop_path(drop_path_rate, axes=3)

    def call(self, maps, weights=False):
        """maps (B, h, w, C) -> (B, h, w, C), the attention weights (B, H, T, S) or None."""
        y, seen = self.attention(self.attention_norm(maps), weights=weights)
        maps = maps + self.drop_path(self.dropout(y))
        return maps + self.drop_path(self.dropout(self.mlp(self.mlp_norm(maps)))), seen


class SegformerStage(Layer):
    """A convolution that makes the map smaller, blocks, and a norm; counted from 0."""

    def __init__(self, c, index, drop_path_rates, **kwargs):
        super().__init__(**kwargs)
        size = c.patch_sizes[index]
        self.downsample = Convolution(c.hidden_sizes[index], size, strides=c.strides[index], padding=size // 2)
        self.downsample_norm, self.norm = map_norm(), map_norm()
        self.blocks = [SegformerBlock(c, index, rate) for rate in drop_path_rates]

    def call(self, maps, weights=False):
        """maps (B, h, w, C of the stage before) -> (B, h / stride, w / stride, C), [each block's weights]."""
        maps, attentions = self.downsample_norm(self.downsample(maps)), []
        for block in self.blocks:
            maps, seen = block(maps, weights=weights)
            attentions.append(seen)
        return self.norm(maps), attentions


class SegformerModel(Model):
    """The stages.

    Call it with a dict of pixel_values (B, 3, h, w) of any size from 32 x 32. It returns a dict of last_hidden_state
    (B, C, h / 32, w / 32), or (B, T, C) where the configuration has `reshape_last_stage` False, and, where asked for,
    hidden_states, the maps of each stage, and attentions (B, H, T, S), those of each block.
    """

    config_class = SegformerConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.stages = [SegformerStage(c, *told) for told in enumerate(drop_path_rates(c.drop_path_rate, c.depths))]

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def building_signature(self):
        c, size, stride = self.config, 1, 1
        for step, ratio in zip(c.strides, c.sr_ratios, strict=True):
            stride *= step
            size = max(size, stride * ratio)
        return {"pixel_values": ((None, c.num_channels, size, size), "float32")}

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state and what else is asked for."""
        c, states = self.config, {}
        wanted = c.output_attentions if output_attentions is None else output_attentions
        maps, hidden, attentions = channels_last(inputs["pixel_values"], c.num_channels), [], []
        for stage in self.stages:
            maps, seen = stage(maps, weights=wanted)
            hidden.append(channels_first(maps))
            attentions += seen
        if not c.reshape_last_stage:
            hidden[-1] = flatten(maps)
        if c.output_hidden_states if output_hidden_states is None else output_hidden_states:
            states["hidden_states"] = tuple(hidden)
        if wanted:
            states["attentions"] = tuple(attentions)
        return {"last_hidden_state": hidden[-1]} | states


class SegformerForImageClassification(ImageClassification):
    """Classifies the picture, by a dense layer on the average over its last map: logits (B, labels)."""

    backbone_class = SegformerModel

    def pooled(self, outputs):
        x = outputs["last_hidden_state"]
        return ops.mean(x, axis=(2, 3) if self.config.reshape_last_stage else 1)


class SegformerDecodeHead(Model):
    """Says of every place of the largest map what it is.

    Call it with a dict of encoder_hidden_states, the maps (B, C, h, w) of each stage, largest first. It returns logits
    (B, labels, h, w).
    """

    config_class = SegformerConfig
    served = {"encoder_hidden_states": [((None, None, None, None), "float32")]}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.laterals = [Dense(c.decoder_hidden_size) for _ in c.hidden_sizes]
        self.fuse = ConvNorm(c.decoder_hidden_size, 1, "relu")
        self.dropout = Dropout(c.classifier_dropout_prob)
        self.project = Conv2D(c.num_labels, 1)

    def signature(self):
        return {
            "encoder_hidden_states": [
                ((None, channels, None, None), "float32") for channels in self.config.hidden_sizes
            ]
        }

    def call(self, inputs, training=None):
        """inputs as above -> logits (B, labels, h, w)."""
        maps = [
            dense(channels_last(x)) for dense, x in zip(self.laterals, inputs["encoder_hidden_states"], strict=True)
        ]
        maps = [resize(x, ops.shape(maps[0])[1:3]) for x in maps]
        return channels_first(self.project(self.dropout(self.fuse(ops.concatenate(maps[::-1], axis=-1)))))


class SegformerForSemanticSegmentation(SemanticSegmentation):
    """Says of every pixel what it is: logits (B, labels, h / 4, w / 4).

    Raises:
        ValueError: the configuration has `reshape_last_stage` False, so that the last map's height is not known.
    """

    backbone_class = SegformerModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        if not self.config.reshape_last_stage:
            raise ValueError("reshape_last_stage must be True: a decoder needs maps")
        self.head = SegformerDecodeHead(self.config)

    def default_loss(self):
        if self.config.num_labels == 1:
            return BinarySegmentationLoss(self.config.semantic_loss_ignore_index)
        return super().default_loss()

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs -> logits (B, labels, h / 4, w / 4)."""
        outputs = self.backbone(inputs, output_hidden_states=True, output_attentions=output_attentions)
        logits = self.head({"encoder_hidden_states": outputs["hidden_states"]})
        if not (self.config.output_hidden_states if output_hidden_states is None else output_hidden_states):
            del outputs["hidden_states"]
        return respond({"logits": logits}, outputs)

"""MobileViT: MobileNetV2's blocks, and attention among the pixels at one place of all patches (arXiv:2110.02178).

Shapes: B batch, h and w the height and width of a picture or map, C channels, P the side of a patch, D the width of the
transformers.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.layers import Conv2D, Dropout, LayerNormalization, SpatialDropout2D

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.backbones import hidden_maps, run_stages
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.convolutions import ConvNorm, InvertedResidual, Sequence, divisible
from keras_tfm.layers.heads import respond
from keras_tfm.layers.image_heads import PooledImageClassification, SemanticSegmentation
from keras_tfm.layers.images import channels_first, channels_last, resize
from keras_tfm.layers.mlp import MLP


@dataclass(kw_only=True)
class MobileViTConfig(Config):
    model_type = "mobilevit"

    num_channels: int = 3
    image_size: int = 256
    patch_size: int = 2
    hidden_sizes: list = field(default_factory=lambda: [144, 192, 240])
    neck_hidden_sizes: list = field(default_factory=lambda: [16, 32, 64, 96, 128, 160, 640])
    num_attention_heads: int = 4
    mlp_ratio: float = 2.0
    expand_ratio: float = 4.0
    hidden_act: str = "silu"
    conv_kernel_size: int = 3
    output_stride: int = 32
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.0
    classifier_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    qkv_bias: bool = True
    aspp_out_channels: int = 256
    atrous_rates: list = field(default_factory=lambda: [6, 12, 18])
    aspp_dropout_prob: float = 0.1
    semantic_loss_ignore_index: int = 255

    def __post_init__(self):
        super().__post_init__()
        if len(self.atrous_rates) != 3:
            raise ValueError(f"atrous_rates must be three numbers, not {self.atrous_rates}")


def narrow_block(c, channels, filters, strides=1, dilation=1):
    """MobileNetV2's block, as the configuration has it."""
    hidden = divisible(round(channels * c.expand_ratio))
    return InvertedResidual(channels, filters, hidden, c.hidden_act, strides, dilation)


class MobileViTBlock(Layer):
    """A smaller map, and for each of its pixels what a transformer makes of all that lie at its place in their patches.

    Args:
        c: the configuration.
        channels, filters: C of what comes in and of what goes out.
        width: D.
        depth: how many blocks the transformer has.
        dilation: where it is more than 1, the map keeps its size, and kernels are spread instead.
    """

    def __init__(self, c, channels, filters, width, depth, dilation=1, **kwargs):
        super().__init__(**kwargs)
        act, kernel = c.hidden_act, c.conv_kernel_size
        strides, spread = (2, 1) if dilation == 1 else (1, dilation // 2)
        self.downsample = narrow_block(c, channels, filters, strides, spread)
        self.convolution = ConvNorm(filters, kernel, act)
        self.embeddings = Conv2D(width, 1, use_bias=False)
        self.blocks = [self.make_block(c, width) for _ in range(depth)]
        self.norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.project = ConvNorm(filters, 1, act)
        self.fuse = ConvNorm(filters, kernel, act)
        self.patch_size = c.patch_size

    @staticmethod
    def make_block(c, width):
        return PreNormBlock(
            Attention(
                width,
                c.num_attention_heads,
                bias=c.qkv_bias,
                project_bias=True,
                dropout=c.attention_probs_dropout_prob,
            ),
            MLP(width, int(width * c.mlp_ratio), c.hidden_act),
            LayerNormalization(epsilon=c.layer_norm_eps),
            LayerNormalization(epsilon=c.layer_norm_eps),
            c.hidden_dropout_prob,
        )

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h / 2, w / 2, filters)."""
        maps = self.downsample(maps)
        y = self.embeddings(self.convolution(maps))
        y = self.project(self.look_around(y))
        return self.fuse(ops.concatenate([maps, y], axis=-1))

    def look_around(self, maps):
        """maps (B, h, w, D) -> (B, h, w, D). Where h or w is no multiple of P, on a map that is a bit larger."""
        side, size = self.patch_size, ops.shape(maps)[1:3]
        rows, columns = (-(-n // side) for n in size)
        maps = resize(maps, (rows * side, columns * side))
        x = ops.reshape(maps, (-1, rows, side, columns, side, maps.shape[3]))
        x = ops.transpose(x, (0, 2, 4, 1, 3, 5))  # (B, P, P, h / P, w / P, D)
        shape = ops.shape(x)
        x = ops.reshape(x, (-1, rows * columns, maps.shape[3]))
        for block in self.blocks:
            x, *_ = block(x)
        x = ops.transpose(ops.reshape(self.norm(x), shape), (0, 3, 1, 4, 2, 5))
        return resize(ops.reshape(x, ops.shape(maps)), size)


class MobileViTModel(Model):
    """Five stages, one more convolution, and an average over its map.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, C, h / 32,
    w / 32), pooler_output (B, C) and, where asked for, hidden_states: the maps of each stage.

    Args:
        config: a `MobileViTConfig`, or a dict of its fields.
        pooler: False to end with the stages. Default True.
    """

    config_class = MobileViTConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}
    has_pooler = True

    def __init__(self, config, pooler=True, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        stem, *sizes, last = c.neck_hidden_sizes
        self.embeddings = ConvNorm(stem, 3, c.hidden_act, strides=2)
        first, second, third, fourth, fifth = sizes
        four = 2 if c.output_stride == 8 else 1  # the dilation of the stages that would make the map too small
        five = 2 * four if c.output_stride in (8, 16) else four
        self.stages = [
            Sequence([narrow_block(c, stem, first)]),
            Sequence([narrow_block(c, first, second, 2), *(narrow_block(c, second, second) for _ in range(2))]),
            MobileViTBlock(c, second, third, c.hidden_sizes[0], 2),
            MobileViTBlock(c, third, fourth, c.hidden_sizes[1], 4, four),
            MobileViTBlock(c, fourth, fifth, c.hidden_sizes[2], 3, five),
        ]
        self.neck = ConvNorm(last, 1, c.hidden_act) if pooler else None

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def call(self, inputs, output_hidden_states=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        stem = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        _, *maps = run_stages(self.stages, stem)
        last = maps[-1] if self.neck is None else self.neck(maps[-1])
        pooled = {} if self.neck is None else {"pooler_output": ops.mean(last, axis=(1, 2))}
        return (
            {"last_hidden_state": channels_first(last)} | pooled | hidden_maps(self.config, output_hidden_states, maps)
        )


class MobileViTForImageClassification(PooledImageClassification):
    backbone_class = MobileViTModel

    def dropout_rate(self):
        return self.config.classifier_dropout_prob


class MobileViTSegmentationHead(Layer):
    """What each pixel sees near and far, beside the average over the map, and the classes of it (arXiv:1706.05587)."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width = c.aspp_out_channels
        self.convolutions = [
            ConvNorm(width, 1, "relu"),
            *(ConvNorm(width, 3, "relu", dilation_rate=rate) for rate in c.atrous_rates),
        ]
        self.pooler = ConvNorm(width, 1, "relu")
        self.project = ConvNorm(width, 1, "relu")
        self.dropout = Dropout(c.aspp_dropout_prob)
        self.map_dropout = SpatialDropout2D(c.classifier_dropout_prob, data_format="channels_last")
        self.classifier = Conv2D(c.num_labels, 1)

    def call(self, maps):
        """maps (B, h, w, C) -> logits (B, h, w, labels)."""
        pyramid = [convolution(maps) for convolution in self.convolutions]
        average = self.pooler(ops.mean(maps, axis=(1, 2), keepdims=True))
        pyramid.append(ops.broadcast_to(average, ops.shape(pyramid[0])))
        y = self.project(ops.concatenate(pyramid, axis=-1))
        return self.classifier(self.map_dropout(self.dropout(y)))


class MobileViTForSemanticSegmentation(SemanticSegmentation):
    backbone_class = MobileViTModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = MobileViTSegmentationHead(self.config)

    def call(self, inputs, training=None, **options):
        """inputs -> logits (B, labels, h / 32, w / 32)."""
        outputs = self.backbone(inputs, training=training, **options)
        maps = channels_last(outputs["last_hidden_state"])
        return respond({"logits": channels_first(self.head(maps))}, outputs)

"""BEiT: ViT with relative positions, trained to tell the visual words of hidden patches (arXiv:2106.08254). DiT is one.

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, N patches (h / P * w / P), T = N + 1
tokens, D width, H heads.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from keras import ops
from keras.initializers import Zeros
from keras.layers import Dense, Identity, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.backbones import BackboneConfig, PatchBackbone
from keras_tfm.layers.base import Layer
from keras_tfm.layers.config import Config
from keras_tfm.layers.heads import Head, respond
from keras_tfm.layers.image_heads import AuxiliarySegmentation, PooledImageClassification
from keras_tfm.layers.images import channels_first, flatten, resize
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.pyramids import ConvolutionHead, PyramidHead, PyramidNeck
from keras_tfm.layers.vision import ImageEmbeddings, Scale, ScaledBlock, VisionEncoder, drop_path_rates
from keras_tfm.training.losses import IGNORED, TokenCrossEntropy


@dataclass(kw_only=True)
class EncoderConfig(Config):
    """What BEiT and Data2Vec share."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3
    use_mask_token: bool = False
    use_absolute_position_embeddings: bool = False
    use_relative_position_bias: bool = False
    use_shared_relative_position_bias: bool = False
    layer_scale_init_value: float = 0.1
    drop_path_rate: float = 0.1
    use_mean_pooling: bool = True
    pool_scales: list = field(default_factory=lambda: [1, 2, 3, 6])
    use_auxiliary_head: bool = True
    auxiliary_loss_weight: float = 0.4
    auxiliary_channels: int = 256
    auxiliary_num_convs: int = 1
    auxiliary_concat_input: bool = False
    semantic_loss_ignore_index: int = 255


@dataclass(kw_only=True)
class BeitConfig(BackboneConfig, EncoderConfig):
    model_type = "beit"
    synonyms: ClassVar[dict] = {"segmentation_indices": "out_indices"}

    vocab_size: int = 8192
    add_fpn: bool = False
    reshape_hidden_states: bool = True
    batch_norm_eps: float = 1e-5  # of `add_fpn`, which the reference has no default for


class BeitEmbeddings(ImageEmbeddings):
    """Patches as tokens; those that the mask token takes the place of have no position."""

    scales, any_size = False, True

    def __init__(self, c, **kwargs):
        super().__init__(c, mask_token=c.use_mask_token, positions=c.use_absolute_position_embeddings, **kwargs)

    def call(self, pixel_values, hidden=None, interpolate_pos_encoding=False):
        maps = self.maps(pixel_values, any_size=True)
        x, first = flatten(maps), ops.broadcast_to(self.leading("cls_token"), (ops.shape(maps)[0], 1, self.width))
        if self.has_positions:
            positions = self.resized_positions(ops.shape(pixel_values)[2:], ops.shape(maps)[1:3])
            x, first = x + positions[:, 1:], first + positions[:, :1]
        if hidden is not None:
            x = self.hide(x, hidden)
        return self.dropout(ops.concatenate([first, x], axis=1))


def relative_places(rows, columns):
    """How the tokens of a grid of patches, and one in front, lie to each other, as rows of `RelativeBias`: (T, T)."""
    patches, tokens = ops.arange(rows * columns), ops.arange(rows * columns + 1)
    row, column = patches // columns, patches % columns
    down, right = (x[:, None] - x[None] for x in (row, column))
    places = (down + rows - 1) * (2 * columns - 1) + right + columns - 1
    above, before = tokens[:, None] == 0, tokens[None] == 0
    behind = (2 * rows - 1) * (2 * columns - 1)  # from the token in front, to it, and from it to itself
    others = ops.where(ops.logical_and(above, before), behind + 2, ops.where(above, behind, behind + 1))
    return ops.where(ops.logical_or(above, before), others, ops.pad(places, ((1, 0), (1, 0))))


class RelativeBias(Layer):
    """A learned bias for every way in which two tokens can lie to each other, resized for other grids.

    Args:
        grid: the rows and columns of patches that it is made for.
        heads: H.
    """

    def __init__(self, grid, heads, **kwargs):
        super().__init__(**kwargs)
        self.sides, self.heads = tuple(2 * n - 1 for n in grid), heads
        self.table_initializer = Zeros()

    def build(self, shape):
        shape = (self.sides[0] * self.sides[1] + 3, self.heads)
        self.table = self.add_weight(name="table", shape=shape, initializer=self.table_initializer)

    def call(self, places, grid):
        """places (T, T) in a grid of so many rows and columns -> what is added to the scores, (1, H, T, T)."""
        table = ops.cast(self.table, self.compute_dtype)
        maps = ops.reshape(table[:-3], (1, *self.sides, self.heads))
        maps = resize(maps, [2 * n - 1 for n in grid])
        table = ops.concatenate([flatten(maps)[0], table[-3:]])
        return ops.transpose(ops.take(table, places, axis=0), (2, 0, 1))[None]


class BeitBlock(ScaledBlock):
    """A block with, in addition to the bias that all share, one of its own.

    Args:
        relative: a `RelativeBias`, or None.
        layers, options: as of `ScaledBlock`.
    """

    def __init__(self, *layers, relative=None, **options):
        super().__init__(*layers, **options)
        self.relative = relative

    def call(self, x, places=None, grid=None, bias=None, cache=None, weights=False):
        """x (B, T, D), places (T, T), bias (1, H, T, T) -> as `ScaledBlock`."""
        if self.relative is not None:
            own = self.relative(places, grid=grid)
            bias = own if bias is None else bias + own
        return super().call(x, bias=bias, weights=weights)


class BeitModel(VisionEncoder):
    """The encoder; its pooler_output is the normalised average of the patches, or the first token. Pictures may be of
    any size."""

    config_class = BeitConfig

    def __init__(self, config, pooler=True, mask_token=False, **kwargs):
        super().__init__(config, pooler, mask_token, **kwargs)
        self.relative = self.make_relative() if self.config.use_shared_relative_position_bias else None

    def make_embeddings(self, mask_token):
        return BeitEmbeddings(self.config)

    def make_relative(self):
        return RelativeBias(self.embeddings.grid, self.config.num_attention_heads)

    def make_attention(self):
        c = self.config
        rate = c.attention_probs_dropout_prob
        return Attention(c.hidden_size, c.num_attention_heads, key_bias=False, dropout=rate)

    def make_block(self, index):
        c = self.config
        scale = c.layer_scale_init_value
        return BeitBlock(
            self.make_attention(),
            MLP(c.hidden_size, c.intermediate_size, c.hidden_act),
            LayerNormalization(epsilon=c.layer_norm_eps),
            LayerNormalization(epsilon=c.layer_norm_eps),
            c.hidden_dropout_prob,
            attention_scale=Scale(scale) if scale > 0 else None,
            mlp_scale=Scale(scale) if scale > 0 else None,
            drop_path_rate=drop_path_rates(c.drop_path_rate, [c.num_hidden_layers])[0][index],
            relative=self.make_relative() if c.use_relative_position_bias else None,
        )

    def make_norm(self):
        return None if self.config.use_mean_pooling else super().make_norm()

    def make_pooler(self):
        return super().make_norm() if self.config.use_mean_pooling else Identity()

    def pool(self, x):
        return self.pooler(ops.mean(x[:, 1:], axis=1) if self.config.use_mean_pooling else x[:, 0])

    def relations(self, inputs):
        c = self.config
        if not (c.use_relative_position_bias or c.use_shared_relative_position_bias):
            return {}
        size = zip(ops.shape(inputs["pixel_values"])[2:], self.embeddings.patch_size, strict=True)
        grid = tuple(n // patch for n, patch in size)
        places = relative_places(*grid)
        bias = None if self.relative is None else self.relative(places, grid=grid)
        return {"places": places, "grid": grid, "bias": bias}


class BeitForImageClassification(PooledImageClassification):
    backbone_class = BeitModel


class BeitForMaskedImageModeling(Head):
    """Scores the visual words of each patch: logits (B, N, V), from pixel_values and bool_masked_pos (B, N).

    It learns those of hidden patches, from labels (B, N), or from theirs alone, one behind the other.
    """

    backbone_class = BeitModel
    pooler = False

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.norm = LayerNormalization(epsilon=self.config.layer_norm_eps)
        self.head = Dense(self.config.vocab_size)

    def call(self, inputs, training=None, **options):
        """inputs -> logits (B, N, V)."""
        outputs = self.backbone(inputs, training=training, **options)
        return respond({"logits": self.head(self.norm(outputs["last_hidden_state"])[:, 1:])}, outputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The cross entropy of the words of hidden patches."""
        hidden = ops.cast(x["bool_masked_pos"], "bool")
        labels = ops.cast(self._by_output(y), "int32")
        if len(labels.shape) == 1:
            place = ops.cumsum(ops.cast(ops.reshape(hidden, (-1,)), "int32")) - 1
            labels = ops.reshape(ops.take(labels, ops.maximum(place, 0)), ops.shape(hidden))
        labels = ops.where(hidden, labels, IGNORED)
        return super().compute_loss(x, labels, y_pred, sample_weight, training)

    def default_loss(self):
        return TokenCrossEntropy()


class BeitForSemanticSegmentation(AuxiliarySegmentation):
    """Gives every pixel a class, by UPerNet on a pyramid of four maps: logits (B, labels, 4 h / P, 4 w / P) and, from
    the third alone, auxiliary_logits (B, labels, h / P, w / P).

    Raises:
        ValueError: `out_indices` are not four.
    """

    backbone_class = BeitModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.neck = PyramidNeck(c.hidden_size, c.out_indices)
        self.head = PyramidHead(4, c.hidden_size, c.num_labels, c.pool_scales)
        self.auxiliary_head = None
        if c.use_auxiliary_head:
            convolutions = c.auxiliary_num_convs, c.auxiliary_concat_input
            self.auxiliary_head = ConvolutionHead(c.auxiliary_channels, c.num_labels, *convolutions)

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs -> logits and auxiliary_logits, and what else is asked for."""
        c = self.config
        outputs = self.backbone(
            inputs, output_hidden_states=True, output_attentions=output_attentions, training=training
        )
        chosen = [x for i, x in enumerate(outputs["hidden_states"], 1) if i in c.out_indices]
        maps = self.neck(self.backbone.patch_maps(chosen, inputs["pixel_values"]))
        logits = {"logits": channels_first(self.head(maps))}
        if self.auxiliary_head is not None:
            logits["auxiliary_logits"] = channels_first(self.auxiliary_head(maps[2]))
        if not (c.output_hidden_states if output_hidden_states is None else output_hidden_states):
            del outputs["hidden_states"]
        return respond(logits, outputs)


class BeitBackbone(PatchBackbone, BeitModel):
    """The same, handing out what the blocks return that the configuration names; with `add_fpn` as a pyramid.

    Raises:
        ValueError: a pyramid, and `out_indices` are not four.
    """

    def __init__(self, config, **kwargs):
        super().__init__(config, pooler=False, **kwargs)
        c = self.config
        self.neck = PyramidNeck(c.hidden_size, c.out_indices, c.batch_norm_eps) if c.add_fpn else None

    def make_norm(self):
        return None

    def patch_maps(self, states, pixel_values):
        maps = super().patch_maps(states, pixel_values)
        return maps if self.neck is None else self.neck(maps)

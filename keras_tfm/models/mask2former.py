"""Mask2Former: queries that find segments, each looking only at where it found its segment before (arXiv:2112.01527).

Shapes: B batch, h and w the height and width of a picture or map, T pixels (h * w), D width, Q queries.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.initializers import Zeros
from keras.layers import Conv2D, Dense, Dropout, Embedding, GroupNormalization, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.backbones import make_backbone
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.convolutions import Convolution
from keras_tfm.layers.deformable import DeformableAttention, pixel_places
from keras_tfm.layers.detection_heads import UniversalSegmentation
from keras_tfm.layers.heads import Head
from keras_tfm.layers.images import channels_first, channels_last, flatten, resize, unflatten
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import Formula, map_waves

LEVELS = 3  # the maps that queries look at, one after the other
SWIN = {
    "model_type": "swin",
    "depths": [2, 2, 18, 2],
    "drop_path_rate": 0.3,
    "out_features": ["stage1", "stage2", "stage3", "stage4"],
}


@dataclass(kw_only=True)
class Mask2FormerConfig(CompositeConfig):
    model_type = "mask2former"
    parts = ("backbone_config",)
    synonyms = {"hidden_size": "hidden_dim", "initializer_range": "init_std"}

    backbone_config: Config | dict | None = None
    feature_size: int = 256
    mask_feature_size: int = 256
    hidden_dim: int = 256
    encoder_feedforward_dim: int = 1024
    activation_function: str = "relu"
    encoder_layers: int = 6
    decoder_layers: int = 10
    num_attention_heads: int = 8
    dropout: float = 0.0
    dim_feedforward: int = 2048
    pre_norm: bool = False
    enforce_input_projection: bool = False
    common_stride: int = 4
    ignore_value: int = 255
    num_queries: int = 100
    no_object_weight: float = 0.1
    class_weight: float = 2.0
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    train_num_points: int = 12544
    oversample_ratio: float = 3.0
    importance_sample_ratio: float = 0.75
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    use_auxiliary_loss: bool = True
    feature_strides: list = field(default_factory=lambda: [4, 8, 16, 32])
    output_auxiliary_logits: bool | None = None
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict | None = None
    num_hidden_layers: int | None = None  # follows from decoder_layers

    def default_part(self, part):
        return SWIN

    def __post_init__(self):
        super().__post_init__()
        self.num_hidden_layers = self.decoder_layers
        if self.backbone is not None:
            raise ValueError(f"backbone {self.backbone!r} is only a name: give its configuration as backbone_config")
        if self.enforce_input_projection or self.feature_size != self.hidden_dim:
            raise ValueError(
                f"feature_size {self.feature_size} must be hidden_dim {self.hidden_dim}, and enforce_input_projection "
                "False: no checkpoint stores the projections between the two"
            )

    @property
    def finer_levels(self):
        """How many maps are finer than those that queries look at: the last of them is that of the masks."""
        return (min(self.feature_strides[-LEVELS:]) // self.common_stride).bit_length() - 1


class NormedConvolution(Layer):
    """A convolution and a group norm: (B, h, w, C) -> (B, h, w, D)."""

    def __init__(self, width, size, bias, act=None, **kwargs):
        super().__init__(**kwargs)
        self.convolution = Convolution(width, size, use_bias=bias)
        self.norm = GroupNormalization(32, epsilon=1e-5)
        self.rectifies = act == "relu"

    def call(self, maps):
        maps = self.norm(self.convolution(maps))
        return ops.relu(maps) if self.rectifies else maps


class PixelBlock(Layer):
    """Attention of all maps' pixels to a few points of each, and an MLP, with the norms behind."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.attention = DeformableAttention(c.feature_size, c.num_attention_heads, LEVELS)
        self.attention_norm = LayerNormalization(epsilon=1e-5)
        self.mlp = MLP(c.feature_size, c.encoder_feedforward_dim, "relu", dropout=c.dropout)
        self.mlp_norm = LayerNormalization(epsilon=1e-5)
        self.dropout = Dropout(c.dropout)

    def call(self, x, waves, places, sizes):
        """x (B, T, D), the waves (1, T, D) and the places (1, T, 1, 2) of its pixels, the sizes of the maps -> x."""
        y, _ = self.attention(x + waves, x, places, sizes=sizes)
        x = self.attention_norm(x + self.dropout(y))
        return self.mlp_norm(x + self.dropout(self.mlp(x)))


class PixelDecoder(Layer):
    """The backbone's coarser maps, having looked at each other, and a fine one made of them and of its finest."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width = self.width = c.feature_size
        self.level_embed_initializer = Zeros()
        self.convolutions = [NormedConvolution(width, 1, bias=True) for _ in range(LEVELS)]
        self.blocks = [PixelBlock(c) for _ in range(c.encoder_layers)]
        self.lateral = [NormedConvolution(width, 1, bias=False) for _ in range(c.finer_levels)]
        self.smooth = [NormedConvolution(width, 3, bias=False, act="relu") for _ in range(c.finer_levels)]
        self.project = Conv2D(c.mask_feature_size, 1)

    def build(self, *shapes):
        self.level_embed = self.add_weight(
            name="level_embed", shape=(LEVELS, self.width), initializer=self.level_embed_initializer
        )

    def call(self, maps):
        """Maps (B, h, w, C), the finest first -> three maps (B, h, w, D), the coarsest first, and the finest of all,
        with as many channels as the masks' features have."""
        levels = [convolution(x) for convolution, x in zip(self.convolutions, maps[::-1], strict=False)]
        sizes = [ops.shape(x)[1:3] for x in levels]
        waves = ops.concatenate(
            [flatten(waves_of(x)) + self.level_embed[i] for i, x in enumerate(levels)],
            axis=1,
        )
        x = ops.concatenate([flatten(x) for x in levels], axis=1)
        waves, places = ops.cast(waves, x.dtype), ops.cast(pixel_places(sizes), x.dtype)
        for block in self.blocks:
            x = block(x, waves, places, sizes=sizes)
        levels, begin = [], 0
        for height, width in sizes:
            levels.append(unflatten(x[:, begin : begin + height * width], height, width))
            begin = begin + height * width
        finest = levels[-1]
        for i in reversed(range(len(self.lateral))):
            own = self.lateral[i](maps[i])
            finest = self.smooth[i](own + resize(finest, ops.shape(own)[1:3]))
        return levels, self.project(finest)


def waves_of(maps):
    """maps (B, h, w, D) -> the waves of their pixels' places, (1, h, w, D)."""
    height, width = ops.shape(maps)[1:3]
    return ops.cast(map_waves(ops.ones((1, height, width)), maps.shape[3]), maps.dtype)


class QueryBlock(Layer):
    """Queries look at a map, then at each other; an MLP follows. Norms come before or behind."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width, heads = c.hidden_dim, c.num_attention_heads
        self.norms_first = c.pre_norm
        self.cross_attention = Attention(width, heads, dropout=c.dropout)
        self.cross_attention_norm = LayerNormalization(epsilon=1e-5)
        self.attention = Attention(width, heads, dropout=c.dropout)
        self.attention_norm = LayerNormalization(epsilon=1e-5)
        self.mlp = MLP(width, c.dim_feedforward, c.activation_function, dropout=c.dropout)
        self.mlp_norm = LayerNormalization(epsilon=1e-5)
        self.dropout = Dropout(c.dropout)

    def add(self, x, norm, branch):
        """x (B, Q, D) and what a branch makes of it, normalised."""
        if self.norms_first:
            return x + self.dropout(branch(norm(x)))
        return norm(x + self.dropout(branch(x)))

    def call(self, x, places, pixels, waves, attend, weights=False):
        """x (B, Q, D), the queries' own places (Q, D), pixels (B, T, D), their waves (1, T, D), attend (B, 1, Q, T) ->
        x, the queries' attention to each other (B, H, Q, Q) or None."""
        seen = []

        def look_at_pixels(x):
            return self.cross_attention(x + places, context=pixels + waves, values=pixels, attend=attend)[0]

        def look_at_each_other(x):
            y, _, attention = self.attention(x + places, context=x + places, values=x, weights=weights)
            seen.append(attention)
            return y

        x = self.add(x, self.cross_attention_norm, look_at_pixels)
        x = self.add(x, self.attention_norm, look_at_each_other)
        return self.add(x, self.mlp_norm, self.mlp), seen[0]


class QueryDecoder(Layer):
    """Queries become segments, from block to block: each block sees another of the three maps, and of that only where
    the query's mask is so far."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width = c.hidden_dim
        self.places, self.queries = Embedding(c.num_queries, width), Embedding(c.num_queries, width)
        self.levels = Embedding(LEVELS, width)
        self.blocks = [QueryBlock(c) for _ in range(c.decoder_layers - 1)]
        self.norm = LayerNormalization(epsilon=1e-5)
        widths = [(width, "relu"), (width, "relu"), (c.mask_feature_size, None)]
        self.mask_head = [Dense(units, activation=act) for units, act in widths]

    def masks(self, x, features):
        """Normalised queries (B, Q, D), the masks' features (B, h, w, C) -> logits (B, Q, h, w)."""
        for dense in self.mask_head:
            x = dense(x)
        return ops.einsum("bqc,bhwc->bqhw", x, features)

    def call(self, maps, features, weights=False):
        """Three maps (B, h, w, D), the masks' features (B, h, w, C) -> before the first block and after each, the
        queries (B, Q, D), the same normalised, and their masks (B, Q, h, w); each block's attention (B, H, Q, Q)."""
        marks, sizes = self.levels(ops.arange(LEVELS)), [ops.shape(x)[1:3] for x in maps]
        pixels, waves = [flatten(x) + marks[i] for i, x in enumerate(maps)], [flatten(waves_of(x)) for x in maps]
        count = ops.arange(self.queries.input_dim)
        places, x = self.places(count), self.queries(count)
        x = ops.broadcast_to(x, (ops.shape(features)[0], *x.shape))
        queries, normed, masks, attentions = [x], [self.norm(x)], [], []
        masks.append(self.masks(normed[-1], features))
        for i, block in enumerate(self.blocks):
            level = i % LEVELS
            attend = where_masks_are(masks[-1], sizes[level])
            x, seen = block(x, places, pixels[level], waves[level], attend=attend, weights=weights)
            queries.append(x)
            normed.append(self.norm(x))
            masks.append(self.masks(normed[-1], features))
            attentions.append(seen)
        return queries, normed, masks, attentions


def where_masks_are(masks, size):
    """Logits (B, Q, h', w') -> which of the pixels of a map (h, w) each query may look at, (B, 1, Q, h * w): those
    within its mask; all if there are none."""
    masks = ops.stop_gradient(resize(channels_last(masks), size))
    inside = ops.transpose(flatten(ops.sigmoid(masks)), (0, 2, 1)) >= 0.5
    return ops.logical_or(inside, ops.logical_not(ops.any(inside, axis=-1, keepdims=True)))[:, None]


class Mask2FormerModel(Model):
    """A backbone, a decoder of its pixels and one of queries.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of encoder_last_hidden_state, the
    backbone's last map (B, C, h / 32, w / 32), pixel_decoder_last_hidden_state, the masks' features (B, C, h / 4,
    w / 4), transformer_decoder_last_hidden_state (B, Q, D), and masks_queries_logits, (B, Q, h / 4, w / 4) before the
    first block and after each. Where asked for, there are encoder_hidden_states and pixel_decoder_hidden_states, maps
    (B, C, h, w), transformer_decoder_hidden_states and, normalised, transformer_decoder_intermediate_states, (Q, B, D)
    each, and attentions (B, H, Q, Q), the queries' to each other.
    """

    config_class = Mask2FormerConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}
    optional = ("pixel_mask",)  # which processors make, and the reference ignores

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.extractor = make_backbone(self.config.backbone_config)
        self.pixel_decoder = PixelDecoder(self.config)
        self.decoder = QueryDecoder(self.config)

    def signature(self):
        return self.extractor.signature()

    def building_signature(self):
        return self.extractor.building_signature()

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> the last states, the masks and what else is asked for."""
        c = self.config
        maps = self.extractor({"pixel_values": inputs["pixel_values"]}, training=training)["feature_maps"]
        levels, features = self.pixel_decoder([channels_last(x) for x in maps])
        weights = c.output_attentions if output_attentions is None else output_attentions
        queries, normed, masks, attentions = self.decoder(levels, features, weights=weights)
        states = {}
        if c.output_hidden_states if output_hidden_states is None else output_hidden_states:
            states = {
                "encoder_hidden_states": maps,
                "pixel_decoder_hidden_states": tuple(channels_first(x) for x in levels),
                "transformer_decoder_hidden_states": tuple(ops.transpose(x, (1, 0, 2)) for x in queries),
                "transformer_decoder_intermediate_states": tuple(ops.transpose(x, (1, 0, 2)) for x in normed),
            }
        return {
            "encoder_last_hidden_state": maps[-1],
            "pixel_decoder_last_hidden_state": channels_first(features),
            "transformer_decoder_last_hidden_state": queries[-1],
            "masks_queries_logits": tuple(masks),
            **states,
            **({"attentions": tuple(attentions)} if weights else {}),
        }


class ClassWeights(Formula):
    """How much each class counts in the loss: one, and the last, which stands for nothing, less."""

    def __init__(self, last):
        self.last = last

    def __call__(self, shape, dtype=None):
        return ops.concatenate([ops.ones((shape[0] - 1,), dtype), ops.full((1,), self.last, dtype)])

    def get_config(self):
        return {"last": self.last}


class Criterion(Layer):
    """The weights of the classes, which checkpoints carry along."""

    def __init__(self, labels, nothing, **kwargs):
        super().__init__(**kwargs)
        self.count, self.empty_weight_initializer = labels + 1, ClassWeights(nothing)

    def build(self, *shapes):
        self.empty_weight = self.add_weight(
            name="empty_weight", shape=(self.count,), initializer=self.empty_weight_initializer, trainable=False
        )


class Mask2FormerForUniversalSegmentation(UniversalSegmentation, Head):
    """Finds segments, of things and stuff: class_queries_logits (B, Q, classes + 1), the last of which stands for
    nothing, and masks_queries_logits (B, Q, h / 4, w / 4), besides what `Mask2FormerModel` returns.

    As auxiliary_logits it returns a tuple of dicts of the same logits, before the first block and after each but the
    last: in training, which learns from them, too, and where the configuration or the call's argument
    `output_auxiliary_logits` says so.
    """

    backbone_class = Mask2FormerModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = Dense(self.config.num_labels + 1)
        self.criterion = Criterion(self.config.num_labels, self.config.no_object_weight)
        self.criterion.build()

    def call(
        self,
        inputs,
        output_hidden_states=None,
        output_attentions=None,
        output_auxiliary_logits=None,
        training=None,
    ):
        """inputs -> logits of classes and masks, the last states and what else is asked for."""
        c = self.config
        outputs = self.backbone(
            inputs, output_hidden_states=True, output_attentions=output_attentions, training=training
        )
        states = outputs.pop("transformer_decoder_intermediate_states")
        classes = [self.head(ops.transpose(x, (1, 0, 2))) for x in states]
        logits = [
            {"class_queries_logits": own, "masks_queries_logits": masks}
            for own, masks in zip(classes, outputs.pop("masks_queries_logits"), strict=True)
        ]
        asked = c.output_auxiliary_logits if output_auxiliary_logits is None else output_auxiliary_logits
        auxiliary = training if asked is None else asked
        if not (c.output_hidden_states if output_hidden_states is None else output_hidden_states):
            outputs = {k: x for k, x in outputs.items() if not k.endswith("hidden_states")}
        return logits[-1] | ({"auxiliary_logits": tuple(logits[:-1])} if auxiliary else {}) | outputs

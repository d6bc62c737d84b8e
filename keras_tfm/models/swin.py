"""Swin: attention in windows that move from block to block, on maps that shrink from stage to stage (arXiv:2103.14030).

Shapes: B batch, h and w the height and width of a picture or map, P the side of a patch, T tokens (h * w), D width of a
stage, twice as many in the next, W the side of a window.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.initializers import Zeros
from keras.layers import Conv2D, Dense, Dropout, LayerNormalization

from keras_tfm.layers.backbones import Backbone, BackboneConfig, StageNorms
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.image_heads import MaskedImageModeling, PooledImageClassification
from keras_tfm.layers.images import channels_first, channels_last, flatten, pad_to_multiple, pair, unflatten
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.vision import drop_path, drop_path_rates
from keras_tfm.layers.windows import WindowAttention, attend_in_windows, shift_if_several
from keras_tfm.runtime.tracing import sizes_are_known


@dataclass(kw_only=True)
class SwinConfig(BackboneConfig):
    model_type = "swin"
    synonyms = {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    image_size: int | list = 224
    patch_size: int | list = 4
    num_channels: int = 3
    embed_dim: int = 96
    depths: list = field(default_factory=lambda: [2, 2, 6, 2])
    num_heads: list = field(default_factory=lambda: [3, 6, 12, 24])
    window_size: int = 7
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    drop_path_rate: float = 0.1
    hidden_act: str = "gelu"
    use_absolute_embeddings: bool = False
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    encoder_stride: int = 32
    num_layers: int | None = None  # this and the next follow from the others
    hidden_size: int | None = None

    def stages(self):
        return len(self.depths)

    def widths(self):
        """D of each stage."""
        return [self.embed_dim * 2**i for i in range(len(self.depths))]

    def __post_init__(self):
        super().__post_init__()
        self.num_layers, self.hidden_size = len(self.depths), self.widths()[-1]
        if self.use_absolute_embeddings:
            raise ValueError("use_absolute_embeddings must be False: positions are told by the attention alone")


class SwinEmbeddings(Layer):
    """The patches of a picture, each normalised; the mask token in the place of those that are hidden."""

    def __init__(self, c, mask_token=False, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.width, self.hides = c.num_channels, c.embed_dim, mask_token
        self.patch_size = pair(c.patch_size)
        self.grid = tuple(n // p for n, p in zip(pair(c.image_size), self.patch_size, strict=True))
        self.patches = Conv2D(c.embed_dim, self.patch_size, strides=self.patch_size)
        self.norm = LayerNormalization(epsilon=1e-5)
        self.dropout = Dropout(c.hidden_dropout_prob)
        self.mask_token_initializer = Zeros()

    def build(self, *shapes):
        if self.hides:
            self.mask_token = self.add_weight(
                name="mask_token", shape=(1, 1, self.width), initializer=self.mask_token_initializer
            )

    def call(self, pixel_values, hidden=None):
        """pixel_values (B, 3, h, w), hidden (B, h / P * w / P) with 1 for hidden patches -> (B, h / P, w / P, D).

        A picture that is no multiple of P high or wide is filled with zeros, below and on the right.

        Raises:
            ValueError: another number of channels; hidden patches in a picture of another size than the configured one.
        """
        maps = self.norm(self.patches(pad_to_multiple(channels_last(pixel_values, self.channels), *self.patch_size)))
        if hidden is not None:
            rows, columns = ops.shape(maps)[1:3]
            if sizes_are_known(rows, columns) and (rows, columns) != self.grid:
                raise ValueError(
                    f"pixel_values have {rows} x {columns} patches; bool_masked_pos can hide some only in a picture of "
                    f"the configured size, of {self.grid[0]} x {self.grid[1]}: resize them"
                )
            chosen = unflatten(ops.cast(hidden, "bool")[..., None], rows, columns)
            maps = ops.where(chosen, ops.cast(self.mask_token, maps.dtype)[None], maps)
        return self.dropout(maps)


class SwinBlock(Layer):
    """Attention in windows and an MLP, each on normalised input and added to it.

    Args:
        c: the configuration.
        attention: the attention, with a `side`, W.
        shift: by how much the windows are moved.
        drop_path_rate: how often what the attention adds is dropped in training.
        always_shifts: whether they are so even in a map that is one window high or wide.
    """

    def __init__(self, c, width, attention, shift=0, drop_path_rate=0.0, always_shifts=False, **kwargs):
        super().__init__(**kwargs)
        self.attention_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.attention = attention
        self.attention_dropout = Dropout(c.attention_probs_dropout_prob)
        self.mlp_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.mlp = MLP(width, int(c.mlp_ratio * width), c.hidden_act)
        self.dropout = Dropout(c.hidden_dropout_prob)
        self.drop_path = drop_path(drop_path_rate, axes=3)
        self.shift, self.always_shifts = shift, always_shifts

    def attend(self, maps, weights):
        """maps (B, h, w, D) -> (B, h, w, D), the attention weights or None."""
        side, shift = self.attention.side, self.shift
        if shift and not self.always_shifts:
            shift = shift_if_several(maps, side, shift)
        y, seen = attend_in_windows(self.attention, maps, side, shift, weights)
        return self.attention_dropout(y), seen

    def call(self, maps, weights=False):
        """maps (B, h, w, D) -> (B, h, w, D), and the weights (B * windows, H, W * W, W * W) or None."""
        y, seen = self.attend(self.attention_norm(maps), weights)
        maps = maps + self.drop_path(y)
        return maps + self.dropout(self.mlp(self.mlp_norm(maps))), seen


class SwinMerge(Layer):
    """Squares of 2 x 2 become one place, of twice the width: (B, h, w, D) -> (B, h / 2, w / 2, 2 D), rounded up."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.norm = LayerNormalization(epsilon=1e-5)
        self.project = Dense(2 * width, use_bias=False)

    def squares(self, maps):
        """maps (B, h, w, D) -> (B, h / 2, w / 2, 4 D): the left column of each square, then the right one."""
        maps = pad_to_multiple(maps, 2, 2)
        return ops.concatenate([maps[:, i::2, j::2] for j in range(2) for i in range(2)], axis=-1)

    def call(self, maps):
        return self.project(self.norm(self.squares(maps)))


class SwinStage(Layer):
    """Blocks, and what makes the map smaller for the next stage."""

    def __init__(self, blocks, downsample=None, **kwargs):
        super().__init__(**kwargs)
        self.blocks, self.downsample = blocks, downsample

    def call(self, maps, weights=False):
        """maps (B, h, w, D) -> those for the next stage, those of this one, the last block's attention weights."""
        for block in self.blocks:
            maps, seen = block(maps, weights=weights)
        return maps if self.downsample is None else self.downsample(maps), maps, seen


class SwinModel(Model):
    """The stages, a norm, and an average over the last map.

    Call it with a dict of pixel_values (B, 3, h, w) of any size. It returns a dict of last_hidden_state (B, T, D),
    pooler_output (B, D) and, where asked for, hidden_states: what goes into each stage and what the last one returns,
    (B, T, D), the same as reshaped_hidden_states (B, D, h, w), and attentions, those of each stage's last block.

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.
        mask_token: whether it can be told, by bool_masked_pos (B, patches), which patches to hide. Default False.
    """

    config_class = SwinConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}
    optional = ("bool_masked_pos",)
    merge = SwinMerge
    always_shifts = False

    def __init__(self, config, mask_token=False, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.embeddings = SwinEmbeddings(c, mask_token)
        self.channels = [c.embed_dim, *c.widths()]
        self.stages = [self.make_stage(i, rates) for i, rates in enumerate(drop_path_rates(c.drop_path_rate, c.depths))]
        self.norm = self.make_norm()

    def make_stage(self, stage, drop_path_rates):
        """A stage, counted from 0, with so many blocks as there are rates."""
        width, last = self.config.widths()[stage], stage + 1 == len(self.config.depths)
        blocks = [self.make_block(stage, i, width, rate) for i, rate in enumerate(drop_path_rates)]
        return SwinStage(blocks, None if last else self.merge(width))

    def make_block(self, stage, index, width, drop_path_rate):
        """A stage's block, both counted from 0."""
        c = self.config
        attention = WindowAttention(
            width, c.num_heads[stage], c.window_size, bias=c.qkv_bias, dropout=c.attention_probs_dropout_prob
        )
        shift = c.window_size // 2 if index % 2 else 0
        return SwinBlock(c, width, attention, shift, drop_path_rate, self.always_shifts)

    def make_norm(self):
        """The norm behind the last stage."""
        return LayerNormalization(epsilon=self.config.layer_norm_eps)

    @property
    def last_grid(self):
        """The height and width of the last map, of a picture of the configured size."""
        return tuple(-(-n // 2 ** (len(self.stages) - 1)) for n in self.embeddings.grid)

    def signature(self):
        return {"pixel_values": ((None, self.config.num_channels, None, None), "float32")}

    def building_signature(self):
        if not self.embeddings.hides:
            return self.signature()
        (rows, columns), c = self.embeddings.grid, self.config
        return {
            "pixel_values": ((None, c.num_channels, *pair(c.image_size)), "float32"),
            "bool_masked_pos": ((None, rows * columns), "int32"),
        }

    def encode(self, inputs, output_attentions):
        """inputs -> the maps (B, h, w, D) that go into each stage and what the last one returns; those of the stem and
        of each stage; and {"attentions": ..} if they are asked for."""
        wanted = self.config.output_attentions if output_attentions is None else output_attentions
        stem = self.embeddings(inputs["pixel_values"], hidden=inputs.get("bool_masked_pos"))
        passed, maps, attentions = [stem], [stem], []
        for stage in self.stages:
            following, own, seen = stage(passed[-1], weights=wanted)
            passed.append(following)
            maps.append(own)
            attentions.append(seen)
        return passed, maps, {"attentions": tuple(attentions)} if wanted else {}

    def hidden(self, maps, output_hidden_states):
        """maps (B, h, w, D) as hidden_states (B, T, D), if they are asked for."""
        wanted = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        return {"hidden_states": tuple(flatten(x) for x in maps)} if wanted else {}

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state, pooler_output and what else is asked for."""
        maps, _, states = self.encode(inputs, output_attentions)
        states |= self.hidden(maps, output_hidden_states)
        if "hidden_states" in states:
            states["reshaped_hidden_states"] = tuple(channels_first(x) for x in maps)
        x = flatten(self.norm(maps[-1]))
        return {"last_hidden_state": x, "pooler_output": ops.mean(x, axis=1)} | states


class SwinForImageClassification(PooledImageClassification):
    backbone_class = SwinModel


class SwinForMaskedImageModeling(MaskedImageModeling):
    backbone_class = SwinModel

    def patch_maps(self, outputs):
        return unflatten(outputs["last_hidden_state"], *self.backbone.last_grid)


class SwinBackbone(Backbone, SwinModel):
    """The same, handing out the maps of the stages that the configuration names, normalised; its hidden_states are the
    tokens (B, T, D) of the stem and of each stage."""

    optional = ()
    always_shifts = True

    def make_norms(self):
        return StageNorms(self.config.out_features)

    def make_norm(self):
        return None

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as of `SwinModel` -> feature_maps and what else is asked for."""
        _, maps, states = self.encode(inputs, output_attentions)
        return {"feature_maps": self.feature_maps(maps)} | self.hidden(maps, output_hidden_states) | states

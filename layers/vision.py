"""Encoders of pictures: patches as tokens, blocks of attention, a norm.

They read the configuration by ViT's names of the fields; one that calls them otherwise has `synonyms`.
Shapes: B batch, h and w the height and width of a picture, P the side of a patch, T tokens, D width, H heads.
"""

import numpy as np
from keras import ops
from keras.initializers import Constant, Zeros
from keras.layers import Conv2D, Dense, Dropout, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer, Model, Normal, run_blocks
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.images import channels_last, flatten, pair, resize, unflatten
from keras_tfm.layers.mlp import MLP
from keras_tfm.runtime.tracing import sizes_are_known


def drop_path(rate, axes=2):
    """Stochastic depth (arXiv:1603.09382): what a branch adds is dropped for whole pictures, (B, T, D) each, or (B, h,
    w, D) with 3 `axes`."""
    return Dropout(rate, noise_shape=(None, *[1] * axes))


def drop_path_rates(last, depths):
    """The rates of stages of so many blocks each, [[rate of a block, ..], ..]: from 0 in the first to `last`."""
    rates = iter(np.linspace(0, last, sum(depths)).tolist())
    return [[next(rates) for _ in range(depth)] for depth in depths]


class Scale(Layer):
    """A factor for each channel ("layer scale", arXiv:2103.17239), which begins at `initial`."""

    def __init__(self, initial, **kwargs):
        super().__init__(**kwargs)
        self.scale_initializer = Constant(initial)

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer=self.scale_initializer)

    def call(self, x):
        """x (.., D) -> (.., D)."""
        return x * self.scale


class ScaledBlock(PreNormBlock):
    """Attention and an MLP, each on normalised input, scaled and, in training, dropped for whole pictures at a time.

    Args:
        attention, mlp, attention_norm, mlp_norm: as of `PreNormBlock`.
        attention_scale, mlp_scale: what scales the two branches. Default: nothing.
        drop_path_rate: how often a branch is dropped in training.
    """

    def __init__(self, *layers, attention_scale=None, mlp_scale=None, drop_path_rate=0.0, **kwargs):
        super().__init__(*layers, **kwargs)
        self.attention_scale, self.mlp_scale = attention_scale, mlp_scale
        self.drop_path = drop_path(drop_path_rate)

    def call(self, x, cache=None, weights=False, **relations):
        """x (B, T, D) -> (B, T, D), None, {"attentions": weights (B, H, T, T)}."""
        y, _, seen = self.attention(self.attention_norm(x), weights=weights, **relations)
        x = x + self.branch(y, self.attention_scale)
        return x + self.branch(self.mlp(self.mlp_norm(x)), self.mlp_scale), None, {"attentions": seen}

    def branch(self, y, scale):
        """What a branch adds."""
        y = self.dropout(y)
        return self.drop_path(y if scale is None else scale(y))


class ImageEmbeddings(Layer):
    """A picture's patches as tokens, behind tokens that learn what to gather (`cls_token`), all with positions.

    Args:
        c: the configuration: image_size and patch_size (one number or two), num_channels, hidden_size,
            hidden_dropout_prob.
        tokens: the names of the tokens in front.
        mask_token: whether there is one that takes the place of hidden patches.
        positions: whether they have learned positions.
    """

    scales = True  # whether positions are resized by a factor (a tenth of a patch too large, as DINO did)
    any_size = False  # whether they are resized without being asked

    def __init__(self, c, tokens=("cls_token",), mask_token=False, positions=True, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.image_size, self.patch_size = c.num_channels, pair(c.image_size), pair(c.patch_size)
        self.patches = Conv2D(c.hidden_size, self.patch_size, strides=self.patch_size)
        self.width, self.tokens = c.hidden_size, tokens
        self.hides, self.has_positions = mask_token, positions
        self.dropout = Dropout(c.hidden_dropout_prob)
        self.mask_token_initializer = self.distillation_token_initializer = Zeros()
        self.cls_token_initializer = Normal(stddev=c.initializer_range)
        self.position_embeddings_initializer = Normal(stddev=c.initializer_range)

    @property
    def grid(self):
        """The rows and columns of patches of a picture of the configured size."""
        return tuple(size // patch for size, patch in zip(self.image_size, self.patch_size, strict=True))

    def build(self, shape):
        for name in (*self.tokens, *(["mask_token"] if self.hides else [])):
            initializer = getattr(self, f"{name}_initializer")
            setattr(self, name, self.add_weight(name=name, shape=self.token_shape(name), initializer=initializer))
        if self.has_positions:
            rows, columns = self.grid
            self.position_embeddings = self.add_weight(
                name="position_embeddings",
                shape=(1, rows * columns + len(self.tokens), self.width),
                initializer=self.position_embeddings_initializer,
            )

    def token_shape(self, name):
        """The shape in which a token is stored."""
        return 1, 1, self.width

    def call(self, pixel_values, hidden=None, interpolate_pos_encoding=False):
        """pixel_values (B, 3, h, w) -> (B, T, D).

        Args:
            hidden: (B, h / P * w / P), 1 for patches whose place the mask token takes.
            interpolate_pos_encoding: True for pictures of other sizes than the configured one.

        Raises:
            ValueError: another number of channels; another size, unless positions are to be interpolated.
        """
        resizes = interpolate_pos_encoding or self.any_size
        maps = self.maps(pixel_values, resizes)
        x = flatten(maps)
        if hidden is not None:
            x = self.hide(x, hidden)
        tokens = [ops.broadcast_to(self.leading(name), (ops.shape(x)[0], 1, self.width)) for name in self.tokens]
        x = ops.concatenate([*tokens, x], axis=1) if tokens else x
        if self.has_positions:
            size, grid = ops.shape(pixel_values)[2:], ops.shape(maps)[1:3]
            x = x + (self.resized_positions(size, grid) if resizes else self.positions())
        return self.dropout(x)

    def maps(self, pixel_values, any_size=False):
        """pixel_values (B, 3, h, w), by default of the configured size -> the embedded patches (B, h / P, w / P, D)."""
        images = channels_last(pixel_values, self.channels)
        size = ops.shape(images)[1:3]
        if not any_size and sizes_are_known(*size) and size != self.image_size:
            raise ValueError(
                f"pixel_values are {size[0]} x {size[1]}, the model is made for {self.image_size[0]} x "
                f"{self.image_size[1]}: resize them, or call it with interpolate_pos_encoding=True"
            )
        return self.patches(images)

    def leading(self, name):
        """A token in front (1, 1, D), as numbers of the type that the model computes in."""
        return ops.cast(getattr(self, name), self.compute_dtype)

    def hide(self, x, hidden):
        """x (B, T, D) with the mask token where `hidden` (B, T) is not 0.

        Raises:
            ValueError: there is no mask token.
        """
        if not self.hides:
            raise ValueError("bool_masked_pos hides patches behind a mask token, which this model was made without")
        return ops.where(ops.cast(hidden, "bool")[..., None], self.leading("mask_token"), x)

    def positions(self):
        return ops.cast(self.position_embeddings, self.compute_dtype)

    def resized_positions(self, size, grid):
        """The positions (1, T, D) of a picture of this size, with a grid of so many rows and columns of patches."""
        known, scale = sizes_are_known(*size, *grid), None
        sides = [*zip(grid, self.grid, strict=True), (size[0] * self.grid[1], size[1] * self.grid[0])]
        if known and all(new == old for new, old in sides):
            return self.positions()
        if self.scales:
            differ = 1.0 if known else ops.max(ops.stack([ops.cast(ops.not_equal(*s), "float32") for s in sides]))
            scale = [(ops.cast(new, "float32") + 0.1 * differ) / old for new, old in sides[:2]]
        positions, front = self.positions(), len(self.tokens)
        patches = resize(unflatten(positions[:, front:], *self.grid), grid, "bicubic", scale=scale)
        return ops.concatenate([positions[:, :front], flatten(patches)], axis=1)


def patch_pixels(frames, length, side):
    """The pixels of each patch: frames (B, F, h, w, C) -> (B, F / length * h / side * w / side, length * side², C)."""
    batch, count, height, width = ops.shape(frames)[:4]
    times, rows, columns, channels = count // length, height // side, width // side, frames.shape[4]
    x = ops.reshape(frames, (batch, times, length, rows, side, columns, side, channels))
    x = ops.transpose(x, (0, 1, 3, 5, 2, 4, 6, 7))
    return ops.reshape(x, (batch, times * rows * columns, length * side * side, channels))


def unbiased_variance(x, axis):
    """The variance along an axis, which stays, that the values let expect of others."""
    count = x.shape[axis]
    return ops.var(x, axis=axis, keepdims=True) * (count / (count - 1))


def vision_attention(c, **options):
    """Attention between patches, as the configuration says. Options: see `Attention`."""
    rate = c.attention_probs_dropout_prob
    return Attention(c.hidden_size, c.num_attention_heads, bias=c.qkv_bias, project_bias=True, dropout=rate, **options)


def vision_block(c, attention):
    """ViT's block around an attention: an MLP, and a norm before each of the two."""
    return PreNormBlock(
        attention,
        MLP(c.hidden_size, c.intermediate_size, c.hidden_act),
        LayerNormalization(epsilon=c.layer_norm_eps),
        LayerNormalization(epsilon=c.layer_norm_eps),
        c.hidden_dropout_prob,
    )


class VisionEncoder(Model):
    """Embeddings of patches, blocks and a norm.

    Call it with a dict of pixel_values (B, 3, h, w). It returns a dict of last_hidden_state (B, T, D) and, if it has a
    pooler, pooler_output (B, D).

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.
        pooler: whether to add a tanh layer on the first token. Default True.
        mask_token: whether it can be told, by bool_masked_pos (B, patches), which patches to hide. Default False.

    A variant says what differs by `make_embeddings`, `make_block`, `make_norm`, `make_pooler`, `pool` and `relations`.
    """

    served = {"pixel_values": ((None, 3, None, None), "float32")}
    optional = ("bool_masked_pos",)
    has_pooler = True

    def __init__(self, config, pooler=True, mask_token=False, **kwargs):
        super().__init__(config, **kwargs)
        self.embeddings = self.make_embeddings(mask_token)
        self.blocks = [self.make_block(i) for i in range(self.config.num_hidden_layers)]
        self.norm = self.make_norm()
        self.pooler = self.make_pooler() if pooler and self.has_pooler else None

    def signature(self):
        size = (None, None) if self.embeddings.any_size else pair(self.config.image_size)
        return {"pixel_values": ((None, self.config.num_channels, *size), "float32")}

    def building_signature(self):
        return {"pixel_values": ((None, self.config.num_channels, *pair(self.config.image_size)), "float32")}

    @property
    def patches(self):
        """How many patches a picture of the configured size has."""
        rows, columns = self.embeddings.grid
        return rows * columns

    def make_embeddings(self, mask_token):
        return ImageEmbeddings(self.config, mask_token=mask_token)

    def make_block(self, index):
        """The block at a place, counted from 0."""
        return vision_block(self.config, self.make_attention())

    def make_attention(self):
        return vision_attention(self.config)

    def make_norm(self):
        """The norm behind the last block."""
        return LayerNormalization(epsilon=self.config.layer_norm_eps)

    def make_pooler(self):
        return Dense(self.config.hidden_size, activation="tanh")

    def pool(self, x):
        """last_hidden_state (B, T, D) -> pooler_output (B, D)."""
        return self.pooler(x[:, 0])

    def relations(self, inputs):
        """What the blocks are told besides, see `Attention`."""
        return {}

    def patch_maps(self, states, pixel_values):
        """Hidden states (B, T, D) -> those of the patches of pictures (B, 3, h, w) alone: (B, h / P, w / P, D)."""
        height, width = (n // p for n, p in zip(ops.shape(pixel_values)[2:], self.embeddings.patch_size, strict=True))
        return [unflatten(x[:, len(self.embeddings.tokens) :], height, width) for x in states]

    def encode(self, inputs, interpolate_pos_encoding=False, output_hidden_states=None, output_attentions=None):
        """inputs as above -> what the last block returns (B, T, D), and what else is asked for."""
        x = self.embeddings(
            inputs["pixel_values"],
            hidden=inputs.get("bool_masked_pos"),
            interpolate_pos_encoding=interpolate_pos_encoding,
        )
        return run_blocks(
            self.blocks, x, self.config, None, output_hidden_states, output_attentions, **self.relations(inputs)
        )

    def call(
        self,
        inputs,
        interpolate_pos_encoding=False,
        output_hidden_states=None,
        output_attentions=None,
        training=None,
    ):
        """inputs as above -> last_hidden_state (B, T, D), pooler_output (B, D) and what else is asked for."""
        x, states = self.encode(inputs, interpolate_pos_encoding, output_hidden_states, output_attentions)
        x = x if self.norm is None else self.norm(x)
        pooled = {} if self.pooler is None else {"pooler_output": self.pool(x)}
        return {"last_hidden_state": x} | pooled | states

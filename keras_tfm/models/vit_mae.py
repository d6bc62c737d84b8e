"""ViT-MAE: ViT on a quarter of a picture's patches, which a smaller decoder learns to complete (arXiv:2111.06377).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, N patches (h / P * w / P), T tokens
(those of the patches that are seen, and one), D width.
"""

import dataclasses
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from keras.initializers import Zeros
from keras.layers import Dense, LayerNormalization

from keras_tfm.layers.base import Layer, run_blocks
from keras_tfm.layers.heads import Head, respond
from keras_tfm.layers.images import channels_last, flatten
from keras_tfm.layers.positions import Formula
from keras_tfm.layers.vision import (
    ImageEmbeddings,
    VisionEncoder,
    patch_pixels,
    unbiased_variance,
    vision_attention,
    vision_block,
)
from keras_tfm.models.vit_msn import ViTMSNConfig


@dataclass(kw_only=True)
class ViTMAEConfig(ViTMSNConfig):
    model_type = "vit_mae"

    layer_norm_eps: float = 1e-12
    decoder_num_attention_heads: int = 16
    decoder_hidden_size: int = 512
    decoder_num_hidden_layers: int = 8
    decoder_intermediate_size: int = 2048
    mask_ratio: float = 0.75
    norm_pix_loss: bool = False


def decoder_config(c):
    """The configuration of the decoder's blocks."""
    return dataclasses.replace(
        c,
        hidden_size=c.decoder_hidden_size,
        num_hidden_layers=c.decoder_num_hidden_layers,
        num_attention_heads=c.decoder_num_attention_heads,
        intermediate_size=c.decoder_intermediate_size,
    )


class GridWaves(Formula):
    """Positions (1, N + 1, D) of the patches of a square picture: sines, then cosines, of the column in the first half
    of D, of the row in the second. The first one, of the token in front, is zero.

    Raises:
        ValueError: N is no square, or D no multiple of 4.
    """

    def __call__(self, shape, dtype=None):
        _, count, width = shape
        side = round((count - 1) ** 0.5)
        if side**2 != count - 1 or width % 4:
            raise ValueError(f"positions of {count - 1} patches, {width} wide: pictures must be square, widths fours")
        frequencies = 10000.0 ** -(np.arange(width // 4) / (width // 4))
        columns_and_rows = np.indices((side, side))[::-1].reshape(2, -1, 1) * frequencies
        halves = np.concatenate([np.sin(columns_and_rows), np.cos(columns_and_rows)], axis=2)
        table = np.concatenate([np.zeros((1, width)), np.concatenate([*halves], axis=1)])
        return ops.convert_to_tensor(table[None], dtype)


class ViTMAEEmbeddings(ImageEmbeddings):
    """The patches that are seen, chosen by chance, as tokens with fixed positions behind a `cls_token`."""

    def __init__(self, c, **kwargs):
        super().__init__(c, **kwargs)
        self.position_embeddings_initializer = GridWaves()
        self.seen = int(np.prod(self.grid) * (1 - c.mask_ratio))
        self.seed_generator = keras.random.SeedGenerator(name="noise")

    def build(self, shape):
        super().build(shape)
        self.position_embeddings.trainable = False

    def call(self, pixel_values, noise=None):
        """pixel_values (B, 3, h, w) -> (B, T, D), which patches are hidden (B, N), their ranks (B, N).

        Args:
            noise: (B, N); the patches with the least are seen. Default: drawn anew at each call.

        Raises:
            ValueError: another number of channels, or another size.
        """
        x, positions = flatten(self.maps(pixel_values)), self.positions()
        x = x + positions[:, 1:]
        if noise is None:
            noise = keras.random.uniform(ops.shape(x)[:2], seed=self.seed_generator)
        order = ops.argsort(noise, axis=1)
        ranks = ops.argsort(order, axis=1)
        x = ops.take_along_axis(x, order[:, : self.seen, None], axis=1)
        first = ops.broadcast_to(self.leading("cls_token") + positions[:, :1], (ops.shape(x)[0], 1, self.width))
        hidden = ops.cast(ranks >= self.seen, self.compute_dtype)
        return self.dropout(ops.concatenate([first, x], axis=1)), hidden, ranks


class ViTMAEModel(VisionEncoder):
    """The encoder, of the patches that are seen.

    Call it with a dict of pixel_values (B, 3, h, w) and, to choose the patches, noise (B, N). It returns a dict of
    last_hidden_state (B, T, D), mask (B, N), 1 for the patches that are hidden, and ids_restore (B, N), the place of
    each patch among those that are seen, in their order here, and those that are hidden.
    """

    config_class = ViTMAEConfig
    optional = ("noise",)
    has_pooler = False

    def make_embeddings(self, mask_token):
        return ViTMAEEmbeddings(self.config)

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state, mask, ids_restore and what else is asked for."""
        x, hidden, ranks = self.embeddings(inputs["pixel_values"], inputs.get("noise"))
        x, states = run_blocks(self.blocks, x, self.config, None, output_hidden_states, output_attentions)
        return {"last_hidden_state": self.norm(x), "mask": hidden, "ids_restore": ranks} | states


class ViTMAEDecoder(Layer):
    """Completes the picture: the tokens of the patches that are seen, a mask token for each other, blocks, pixels.

    Args:
        c: the configuration of the whole model.
        patches: N.
    """

    def __init__(self, c, patches, **kwargs):
        super().__init__(**kwargs)
        inner = decoder_config(c)
        self.width, self.patches = inner.hidden_size, patches
        self.embed = Dense(self.width)
        self.blocks = [vision_block(inner, vision_attention(inner)) for _ in range(inner.num_hidden_layers)]
        self.norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.project = Dense(c.patch_size**2 * c.num_channels)
        self.mask_token_initializer, self.position_embeddings_initializer = Zeros(), GridWaves()

    def build(self, x_shape, ranks_shape):
        self.mask_token = self.add_weight(
            name="mask_token", shape=(1, 1, self.width), initializer=self.mask_token_initializer
        )
        self.position_embeddings = self.add_weight(
            name="position_embeddings",
            shape=(1, self.patches + 1, self.width),
            initializer=self.position_embeddings_initializer,
            trainable=False,
        )

    def call(self, x, ranks):
        """x (B, T, D), ranks (B, N), the place of each patch among the tokens -> (B, N, P * P * 3)."""
        x = self.embed(x)
        batch, tokens = ops.shape(x)[:2]
        hidden = (batch, self.patches + 1 - tokens, self.width)
        fill = ops.broadcast_to(ops.cast(self.mask_token, x.dtype), hidden)
        patches = ops.take_along_axis(ops.concatenate([x[:, 1:], fill], axis=1), ranks[..., None], axis=1)
        x = ops.concatenate([x[:, :1], patches], axis=1) + ops.cast(self.position_embeddings, x.dtype)
        for block in self.blocks:
            x, *_ = block(x)
        return self.project(self.norm(x))[:, 1:]


class ViTMAEForPreTraining(Head):
    """Completes pictures: logits (B, N, P * P * 3), the pixels of all patches, and mask and ids_restore, see the model.

    It learns from the pictures themselves; `fit` needs no labels.
    """

    backbone_class = ViTMAEModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.decoder = ViTMAEDecoder(self.config, self.backbone.patches)

    def call(self, inputs, training=None, **options):
        """inputs -> logits (B, N, P * P * 3), mask and ids_restore (B, N)."""
        outputs = self.backbone(inputs, training=training, **options)
        pixels = self.decoder(outputs["last_hidden_state"], outputs["ids_restore"])
        return respond({"logits": pixels, "mask": outputs["mask"], "ids_restore": outputs["ids_restore"]}, outputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean squared distance of the hidden patches' pixels, normalised in each if the configuration says so."""
        images = channels_last(ops.convert_to_tensor(x["pixel_values"]))
        target = patch_pixels(images[:, None], 1, self.config.patch_size)
        target = ops.reshape(target, ops.shape(y_pred["logits"]))
        if self.config.norm_pix_loss:
            mean, variance = ops.mean(target, axis=-1, keepdims=True), unbiased_variance(target, axis=-1)
            target = (target - mean) / ops.sqrt(variance + 1e-6)
        distance = ops.mean(ops.square(y_pred["logits"] - target), axis=-1)
        return ops.sum(distance * y_pred["mask"]) / ops.sum(y_pred["mask"])

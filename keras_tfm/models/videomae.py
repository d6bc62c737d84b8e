"""VideoMAE: ViT on videos cut into tubes, trained to complete those of which a part is hidden (arXiv:2203.12602).

Shapes: B batch, F frames, h and w the height and width of a frame, P the side of a patch, L the length of a tube, N
tubes (F / L * h / P * w / P), D width.
"""

from dataclasses import dataclass

import numpy as np
from keras import ops
from keras.initializers import Zeros
from keras.layers import Conv3D, Dense, Dropout, LayerNormalization

from keras_tfm.layers.base import Layer, run_blocks
from keras_tfm.layers.config import Config
from keras_tfm.layers.heads import Head, respond
from keras_tfm.layers.image_heads import ImageClassification
from keras_tfm.layers.images import pair
from keras_tfm.layers.positions import Waves
from keras_tfm.layers.vision import VisionEncoder, patch_pixels, unbiased_variance, vision_attention, vision_block
from keras_tfm.models.vit_mae import decoder_config
from keras_tfm.runtime.tracing import sizes_are_known

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours, by which frames are normalised


@dataclass(kw_only=True)
class VideoMAEConfig(Config):
    model_type = "videomae"

    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3
    num_frames: int = 16
    tubelet_size: int = 2
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    qkv_bias: bool = True
    use_mean_pooling: bool = True
    decoder_num_attention_heads: int = 6
    decoder_hidden_size: int = 384
    decoder_num_hidden_layers: int = 4
    decoder_intermediate_size: int = 1536
    norm_pix_loss: bool = True


class VideoMAEEmbeddings(Layer):
    """A video's tubes as tokens with fixed positions."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.frames = c.num_frames, c.num_channels, *pair(c.image_size)
        tube = c.tubelet_size, *pair(c.patch_size)
        self.patches = Conv3D(c.hidden_size, tube, strides=tube)
        sides = self.frames[0], *self.frames[2:]
        self.positions = int(np.prod([n // size for n, size in zip(sides, tube, strict=True)])), c.hidden_size
        self.dropout = Dropout(c.hidden_dropout_prob)
        self.position_embeddings_initializer = Waves()

    def build(self, shape):
        self.position_embeddings = self.add_weight(
            name="position_embeddings",
            shape=self.positions,
            initializer=self.position_embeddings_initializer,
            trainable=False,
        )

    def call(self, pixel_values):
        """pixel_values (B, F, 3, h, w) -> (B, N, D).

        Raises:
            ValueError: another number of frames or channels, or another size.
        """
        given = tuple(pixel_values.shape[1:])
        if len(given) != 4 or sizes_are_known(*given) and given != self.frames:
            raise ValueError(
                f"pixel_values must be (batch, frames, channels, height, width), {('batch', *self.frames)}, not "
                f"{tuple(pixel_values.shape)}: an image processor makes them so, of as many frames"
            )
        x = self.patches(ops.transpose(pixel_values, (0, 1, 3, 4, 2)))
        x = ops.reshape(x, (-1, *self.positions))
        return self.dropout(x + ops.cast(self.position_embeddings, x.dtype))


class VideoMAEModel(VisionEncoder):
    """The encoder, of the tubes that can be seen.

    Call it with a dict of pixel_values (B, F, 3, h, w) and, to hide tubes, bool_masked_pos (B, N). It returns a dict of
    last_hidden_state (B, N, D), zero for hidden tubes (which the reference leaves out).
    """

    config_class = VideoMAEConfig
    served = {"pixel_values": ((None, None, 3, None, None), "float32")}
    has_pooler = False

    def signature(self):
        return {"pixel_values": ((None, *self.embeddings.frames), "float32")}

    building_signature = signature

    @property
    def patches(self):
        """N."""
        return self.embeddings.positions[0]

    def make_embeddings(self, mask_token):
        return VideoMAEEmbeddings(self.config)

    def make_attention(self):
        return vision_attention(self.config, key_bias=False)

    def make_norm(self):
        return None if self.config.use_mean_pooling else super().make_norm()

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state (B, N, D) and what else is asked for."""
        seen = inputs.get("bool_masked_pos")
        seen = None if seen is None else ops.logical_not(ops.cast(seen, "bool"))
        attend = None if seen is None else seen[:, None, None]
        x = self.embeddings(inputs["pixel_values"])
        x, states = run_blocks(
            self.blocks, x, self.config, None, output_hidden_states, output_attentions, attend=attend
        )
        x = x if self.norm is None else self.norm(x)
        return {"last_hidden_state": x if seen is None else ops.where(seen[..., None], x, 0)} | states


class VideoMAEDecoder(Layer):
    """Completes the video: the tokens that were seen, a mask token for each other, blocks, pixels.

    Args:
        c: the configuration of the whole model.
        tubes: N.
    """

    def __init__(self, c, tubes, **kwargs):
        super().__init__(**kwargs)
        inner = decoder_config(c)
        self.positions = tubes, inner.hidden_size
        self.embed = Dense(inner.hidden_size, use_bias=False)
        self.blocks = [
            vision_block(inner, vision_attention(inner, key_bias=False)) for _ in range(inner.num_hidden_layers)
        ]
        self.norm = LayerNormalization(epsilon=1e-5)
        self.project = Dense(c.num_channels * c.tubelet_size * c.patch_size**2)
        self.mask_token_initializer, self.position_embeddings_initializer = Zeros(), Waves()

    def build(self, x_shape, hidden_shape):
        shape = (1, 1, self.positions[1])
        self.mask_token = self.add_weight(name="mask_token", shape=shape, initializer=self.mask_token_initializer)
        self.position_embeddings = self.add_weight(
            name="position_embeddings",
            shape=self.positions,
            initializer=self.position_embeddings_initializer,
            trainable=False,
        )

    def call(self, x, hidden):
        """x (B, N, D), hidden (B, N) -> (B, N, L * P * P * 3)."""
        x = ops.where(hidden[..., None], ops.cast(self.mask_token, x.dtype), self.embed(x))
        x = x + ops.cast(self.position_embeddings, x.dtype)
        for block in self.blocks:
            x, *_ = block(x)
        return self.project(self.norm(x))


class VideoMAEForPreTraining(Head):
    """Completes videos: from pixel_values and bool_masked_pos (B, N), logits (B, N, L * P * P * 3), the pixels of
    hidden tubes, zero for the others (which the reference leaves out).

    It learns from the videos themselves; `fit` needs no labels.
    """

    backbone_class = VideoMAEModel
    served = VideoMAEModel.served | {"bool_masked_pos": ((None, None), "bool")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.decoder = VideoMAEDecoder(self.config, self.backbone.patches)

    def signature(self):
        return self.backbone.signature() | {"bool_masked_pos": ((None, self.backbone.patches), "bool")}

    building_signature = signature

    def call(self, inputs, training=None, **options):
        """inputs -> logits (B, N, L * P * P * 3).

        Raises:
            ValueError: there is no bool_masked_pos.
        """
        if inputs.get("bool_masked_pos") is None:
            raise ValueError("bool_masked_pos is missing: (batch, tubes), true for those that are to be completed")
        outputs = self.backbone(inputs, training=training, **options)
        hidden = ops.cast(inputs["bool_masked_pos"], "bool")
        pixels = self.decoder(outputs["last_hidden_state"], hidden)
        return respond({"logits": ops.where(hidden[..., None], pixels, 0)}, outputs)

    def target(self, pixel_values):
        """Videos (B, F, 3, h, w) -> what is to be predicted, (B, N, L * P * P * 3): their colours, normalised in each
        tube if the configuration says so.

        Raises:
            ValueError: not three channels, and they are not normalised.
        """
        c, frames = self.config, ops.transpose(ops.convert_to_tensor(pixel_values), (0, 1, 3, 4, 2))
        if c.num_channels == 3:
            frames = frames * ops.convert_to_tensor(DEVIATION) + ops.convert_to_tensor(MEAN)
        elif not c.norm_pix_loss:
            raise ValueError(f"the colours of {c.num_channels} channels are not known: set norm_pix_loss to True")
        tubes = patch_pixels(frames, c.tubelet_size, c.patch_size)
        if c.norm_pix_loss:
            deviation = ops.sqrt(unbiased_variance(tubes, axis=2))
            tubes = (tubes - ops.mean(tubes, axis=2, keepdims=True)) / (deviation + 1e-6)
        return ops.reshape(tubes, (-1, self.backbone.patches, tubes.shape[2] * tubes.shape[3]))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean squared distance of the hidden tubes' pixels."""
        predicted = y_pred["logits"] if isinstance(y_pred, dict) else y_pred
        distance = ops.mean(ops.square(predicted - self.target(x["pixel_values"])), axis=-1)
        hidden = ops.cast(x["bool_masked_pos"], distance.dtype)
        return ops.sum(distance * hidden) / ops.sum(hidden)


class VideoMAEForVideoClassification(ImageClassification):
    """Classifies the video, by the normalised average of the tubes, or by the first."""

    backbone_class = VideoMAEModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.norm = LayerNormalization(epsilon=1e-5) if self.config.use_mean_pooling else None

    def pooled(self, outputs):
        x = outputs["last_hidden_state"]
        return x[:, 0] if self.norm is None else self.norm(ops.mean(x, axis=1))

"""DINOv2: ViT with scaled branches, trained without labels, for pictures of any size (arXiv:2304.07193).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, T tokens (h / P * w / P and one), D
width.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Identity, LayerNormalization

from keras_tfm.layers.backbones import BackboneConfig, PatchBackbone
from keras_tfm.layers.image_heads import ImageClassification
from keras_tfm.layers.mlp import MLP, GatedMLP
from keras_tfm.layers.vision import ImageEmbeddings, Scale, ScaledBlock, VisionEncoder


@dataclass(kw_only=True)
class Dinov2Config(BackboneConfig):
    model_type = "dinov2"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: int = 4
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3
    qkv_bias: bool = True
    layerscale_value: float = 1.0
    drop_path_rate: float = 0.0
    use_swiglu_ffn: bool = False
    apply_layernorm: bool = True
    reshape_hidden_states: bool = True


class Dinov2Embeddings(ImageEmbeddings):
    any_size = True

    def token_shape(self, name):
        return (1, self.width) if name == "mask_token" else super().token_shape(name)


class Dinov2Model(VisionEncoder):
    """The encoder; its pooler_output is the first token. Pictures may be of any size."""

    config_class = Dinov2Config

    def make_embeddings(self, mask_token):
        return Dinov2Embeddings(self.config, mask_token=True)

    def make_block(self, index):
        c = self.config
        return ScaledBlock(
            self.make_attention(),
            self.make_mlp(),
            LayerNormalization(epsilon=c.layer_norm_eps),
            LayerNormalization(epsilon=c.layer_norm_eps),
            attention_scale=Scale(c.layerscale_value),
            mlp_scale=Scale(c.layerscale_value),
            drop_path_rate=c.drop_path_rate,
        )

    def make_mlp(self):
        c = self.config
        hidden = int(c.hidden_size * c.mlp_ratio)
        if not c.use_swiglu_ffn:
            return MLP(c.hidden_size, hidden, c.hidden_act)
        thirds = (hidden * 2 // 3 + 7) // 8 * 8  # with gates, two thirds cost the same
        return GatedMLP(c.hidden_size, thirds, bias=True)

    def make_pooler(self):
        return Identity()


class Dinov2ForImageClassification(ImageClassification):
    """Classifies the picture, by its first token and the average of the others."""

    backbone_class = Dinov2Model

    def pooled(self, outputs):
        x = outputs["last_hidden_state"]
        return ops.concatenate([x[:, 0], ops.mean(x[:, 1:], axis=1)], axis=-1)


class Dinov2Backbone(PatchBackbone, Dinov2Model):
    """The same, handing out what the blocks return that the configuration names, normalised if it says so."""

    def finish(self, x):
        normed = self.norm(x)  # in any case, since checkpoints hold it
        return normed if self.config.apply_layernorm else x

"""ViT: a transformer encoder on the patches of a picture, behind a [CLS] token (arXiv:2010.11929).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, T tokens, D width.
"""

from dataclasses import dataclass

from keras_tfm.layers.config import Config
from keras_tfm.layers.image_heads import ImageClassification, MaskedImageModeling
from keras_tfm.layers.vision import VisionEncoder


@dataclass(kw_only=True)
class ViTConfig(Config):
    model_type = "vit"

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
    qkv_bias: bool = True
    encoder_stride: int = 16


class ViTModel(VisionEncoder):
    """The encoder, with a tanh layer (`pooler`) on the first token."""

    config_class = ViTConfig


class ViTForImageClassification(ImageClassification):
    backbone_class = ViTModel


class ViTForMaskedImageModeling(MaskedImageModeling):
    backbone_class = ViTModel

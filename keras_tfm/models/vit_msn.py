"""ViT-MSN: ViT trained to give pictures with and without hidden patches the same meaning (arXiv:2204.07141).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, T tokens (h / P * w / P and one), D
width.
"""

from dataclasses import dataclass

from keras_tfm.layers.config import Config
from keras_tfm.layers.image_heads import ImageClassification
from keras_tfm.layers.vision import VisionEncoder


@dataclass(kw_only=True)
class ViTMSNConfig(Config):
    model_type = "vit_msn"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3
    qkv_bias: bool = True


class ViTMSNModel(VisionEncoder):
    """The encoder, without a pooler."""

    config_class = ViTMSNConfig
    has_pooler = False


class ViTMSNForImageClassification(ImageClassification):
    backbone_class = ViTMSNModel

"""ConvNeXT V2: ConvNeXT, where in each MLP channels compete by how strong they are in the whole map (arXiv:2301.00808).

Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

from dataclasses import dataclass

from keras import ops
from keras.initializers import Zeros

from keras_tfm.layers.backbones import Backbone
from keras_tfm.layers.base import Layer
from keras_tfm.layers.image_heads import PooledImageClassification
from keras_tfm.layers.mlp import MLP
from keras_tfm.models.convnext import ConvNextBackbone, ConvNextBlock, ConvNextConfig, ConvNextModel


@dataclass(kw_only=True)
class ConvNextV2Config(ConvNextConfig):
    model_type = "convnextv2"


class GlobalResponseNorm(Layer):
    """Each channel is strengthened by its length over the whole map, as against that of the others."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight_initializer = self.bias_initializer = Zeros()

    def build(self, shape):
        self.weight, self.bias = (
            self.add_weight(name=name, shape=(1, 1, 1, shape[-1]), initializer=getattr(self, f"{name}_initializer"))
            for name in ("weight", "bias")
        )

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        lengths = ops.sqrt(ops.sum(ops.square(maps), axis=(1, 2), keepdims=True))
        strong = maps * (lengths / (ops.mean(lengths, axis=-1, keepdims=True) + 1e-6))
        return maps + strong * self.weight + self.bias


class ConvNextV2MLP(MLP):
    """An MLP with a `GlobalResponseNorm` between its layers."""

    def __init__(self, width, hidden, act, **kwargs):
        super().__init__(width, hidden, act, **kwargs)
        self.norm = GlobalResponseNorm()

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, C)."""
        return self.down(self.norm(self.activation(self.up(maps))))


class ConvNextV2Block(ConvNextBlock):
    """A depthwise convolution, a norm and an MLP; the sum is added."""

    def make_mlp(self, c, channels):
        return ConvNextV2MLP(channels, 4 * channels, c.hidden_act)

    def make_scale(self, c):
        return None


class ConvNextV2Model(ConvNextModel):
    """As `ConvNextModel`."""

    config_class = ConvNextV2Config
    block = ConvNextV2Block


class ConvNextV2ForImageClassification(PooledImageClassification):
    backbone_class = ConvNextV2Model


class ConvNextV2Backbone(Backbone, ConvNextV2Model):
    """The same, handing out the maps of the stages that the configuration names, normalised."""

    make_norm, make_norms = ConvNextBackbone.make_norm, ConvNextBackbone.make_norms

"""Swin Transformer V2: Swin with norms behind attention and MLP, cosine attention, and biases from the logarithms of
distances, so that windows can grow after training (arXiv:2111.09883).

Shapes: B batch, h and w the height and width of a picture or map, T tokens (h * w), D width of a stage, W the side of a
window.
"""

from dataclasses import dataclass, field

from keras_tfm.layers.backbones import Backbone
from keras_tfm.layers.image_heads import MaskedImageModeling, PooledImageClassification
from keras_tfm.layers.images import unflatten
from keras_tfm.layers.windows import CosineWindowAttention
from keras_tfm.models.swin import SwinBackbone, SwinBlock, SwinConfig, SwinMerge, SwinModel


@dataclass(kw_only=True)
class Swinv2Config(SwinConfig):
    model_type = "swinv2"

    pretrained_window_sizes: list = field(default_factory=lambda: [0, 0, 0, 0])


class Swinv2Block(SwinBlock):
    """Attention in windows and an MLP; what each returns is normalised and added."""

    def call(self, maps, weights=False):
        """maps (B, h, w, D) -> (B, h, w, D), and the weights (B * windows, H, W * W, W * W) or None."""
        y, seen = self.attend(maps, weights)
        maps = maps + self.drop_path(self.attention_norm(y))
        return maps + self.drop_path(self.mlp_norm(self.dropout(self.mlp(maps)))), seen


class Swinv2Merge(SwinMerge):
    """As `SwinMerge`, with the norm behind the dense layer."""

    def call(self, maps):
        """maps (B, h, w, D) -> (B, h / 2, w / 2, 2 D), rounded up."""
        return self.norm(self.project(self.squares(maps)))


class Swinv2Model(SwinModel):
    """As `SwinModel`. A stage whose map, of a picture of the configured size, is no larger than a window has windows as
    large as the map, which stay where they are, for pictures of any size."""

    config_class = Swinv2Config
    merge = Swinv2Merge

    def make_block(self, stage, index, width, drop_path_rate):
        c, rows = self.config, self.embeddings.grid[0] // 2**stage
        side, shift = min(rows, c.window_size), c.window_size // 2 if index % 2 and rows > c.window_size else 0
        attention = CosineWindowAttention(
            width,
            c.num_heads[stage],
            side,
            c.pretrained_window_sizes[stage],
            bias=c.qkv_bias,
            dropout=c.attention_probs_dropout_prob,
        )
        return Swinv2Block(c, width, attention, shift, drop_path_rate, always_shifts=True)


class Swinv2ForImageClassification(PooledImageClassification):
    backbone_class = Swinv2Model


class Swinv2ForMaskedImageModeling(MaskedImageModeling):
    backbone_class = Swinv2Model

    def patch_maps(self, outputs):
        return unflatten(outputs["last_hidden_state"], *self.backbone.last_grid)


class Swinv2Backbone(Backbone, Swinv2Model):
    """The same, handing out the maps of the stages that the configuration names."""

    optional = ()
    make_norm, call = SwinBackbone.make_norm, SwinBackbone.call

"""YOLOS: a ViT that finds objects, each by a token of its own behind the patches (arXiv:2106.00666).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, Q detection tokens, T tokens
(1 + h / P * w / P + Q), D width.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.initializers import Zeros
from keras.layers import LayerNormalization

from keras_tfm.layers.base import Layer
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.detection_heads import DeepHead, ObjectDetection
from keras_tfm.layers.heads import Head
from keras_tfm.layers.images import flatten, resize, unflatten
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.vision import ImageEmbeddings, VisionEncoder, vision_attention


@dataclass(kw_only=True)
class YolosConfig(Config):
    model_type = "yolos"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: list = field(default_factory=lambda: [512, 864])
    patch_size: int = 16
    num_channels: int = 3
    qkv_bias: bool = True
    num_detection_tokens: int = 100
    use_mid_position_embeddings: bool = True
    auxiliary_loss: bool = False
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1


def resized(positions, old, new):
    """Positions (N, T, D) of pictures with `old` rows and columns of patches, for those with `new` ones."""
    count = old[0] * old[1]
    patches = resize(unflatten(positions[:, 1 : 1 + count], *old), new, "bicubic")
    return ops.concatenate([positions[:, :1], flatten(patches), positions[:, 1 + count :]], axis=1)


class YolosEmbeddings(ImageEmbeddings):
    """A [CLS] token, the patches of pictures of any size, and the detection tokens, all with positions."""

    any_size = True

    def __init__(self, c, **kwargs):
        super().__init__(c, positions=False, **kwargs)
        self.count = c.num_detection_tokens
        self.detection_tokens_initializer = Zeros()

    def build(self, shape):
        super().build(shape)
        rows, columns = self.grid
        for name, count in (("detection_tokens", self.count), ("position_embeddings", 1 + rows * columns + self.count)):
            initializer = getattr(self, f"{name}_initializer")
            setattr(self, name, self.add_weight(name=name, shape=(1, count, self.width), initializer=initializer))

    def call(self, pixel_values, hidden=None, interpolate_pos_encoding=True):
        """pixel_values (B, 3, h, w) -> (B, T, D)."""
        maps = self.maps(pixel_values, any_size=True)
        x, batch = flatten(maps), ops.shape(maps)[0]
        first, last = (
            ops.broadcast_to(self.leading(name), (batch, count, self.width))
            for name, count in (("cls_token", 1), ("detection_tokens", self.count))
        )
        x = ops.concatenate([first, x, last], axis=1)
        return self.dropout(x + resized(self.positions(), self.grid, ops.shape(maps)[1:3]))


class MidPositions(Layer):
    """More positions of the same tokens, for each block but the last."""

    def __init__(self, c, grid, **kwargs):
        super().__init__(**kwargs)
        self.grid, self.patch = grid, c.patch_size
        self.table_shape = c.num_hidden_layers - 1, 1, 1 + grid[0] * grid[1] + c.num_detection_tokens, c.hidden_size
        self.mid_position_embeddings_initializer = Zeros()

    def build(self, shape):
        self.mid_position_embeddings = self.add_weight(
            name="mid_position_embeddings",
            shape=self.table_shape,
            initializer=self.mid_position_embeddings_initializer,
        )

    def call(self, pixel_values):
        """pixel_values (B, 3, h, w) -> (blocks - 1, T, D)."""
        positions = ops.cast(self.mid_position_embeddings, self.compute_dtype)[:, 0]
        return resized(positions, self.grid, [n // self.patch for n in ops.shape(pixel_values)[2:]])


class YolosBlock(PreNormBlock):
    """ViT's block, and more positions behind it."""

    def __init__(self, c, index, **kwargs):
        super().__init__(
            vision_attention(c),
            MLP(c.hidden_size, c.intermediate_size, c.hidden_act),
            LayerNormalization(epsilon=c.layer_norm_eps),
            LayerNormalization(epsilon=c.layer_norm_eps),
            c.hidden_dropout_prob,
            **kwargs,
        )
        self.index = index

    def call(self, x, positions=None, cache=None, weights=False):
        """x (B, T, D), positions (blocks - 1, T, D) -> x, None, {"attentions": weights (B, H, T, T)}."""
        x, cache, seen = super().call(x, cache=cache, weights=weights)
        if positions is not None and self.index < positions.shape[0]:
            x = x + positions[self.index]
        return x, cache, seen


class YolosModel(VisionEncoder):
    """The encoder, with a tanh layer (`pooler`) on the first token, for pictures of any size."""

    config_class = YolosConfig
    optional = ()

    def __init__(self, config, pooler=True, **kwargs):
        super().__init__(config, pooler=pooler, **kwargs)
        if self.config.use_mid_position_embeddings:
            self.positions = MidPositions(self.config, self.embeddings.grid)

    def make_embeddings(self, mask_token):
        return YolosEmbeddings(self.config)

    def make_block(self, index):
        return YolosBlock(self.config, index)

    def relations(self, inputs):
        more = self.config.use_mid_position_embeddings
        return {"positions": self.positions(inputs["pixel_values"])} if more else {}


class YolosForObjectDetection(ObjectDetection, Head):
    """`ObjectDetection` by the detection tokens, besides what `YolosModel` returns without a pooler. Auxiliary outputs
    are those of the blocks before the last, normalised as its are."""

    backbone_class = YolosModel
    pooler = False

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        width = self.config.hidden_size
        self.classes, self.boxes = DeepHead(width, self.config.num_labels + 1), DeepHead(width, 4)

    def predict_objects(self, x):
        """x (B, T, D), normalised -> logits (B, Q, classes + 1) and pred_boxes (B, Q, 4)."""
        x = x[:, -self.config.num_detection_tokens :]
        return {"logits": self.classes(x), "pred_boxes": ops.sigmoid(self.boxes(x))}

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs -> logits, pred_boxes, last_hidden_state (B, T, D) and what else is asked for."""
        c = self.config
        asked = c.output_hidden_states if output_hidden_states is None else output_hidden_states
        outputs = self.backbone(
            inputs,
            output_hidden_states=asked or c.auxiliary_loss,
            output_attentions=output_attentions,
            training=training,
        )
        found = self.predict_objects(outputs["last_hidden_state"])
        if c.auxiliary_loss:
            states = outputs["hidden_states"][1:-1]
            found["auxiliary_outputs"] = tuple(self.predict_objects(self.backbone.norm(x)) for x in states)
        return found | {name: x for name, x in outputs.items() if asked or name != "hidden_states"}

"""DETR: queries that find objects, by looking at what a transformer makes of a picture's maps (arXiv:2005.12872).

Shapes: B batch, h and w the height and width of a picture or map, S pixels of the last map (h * w), Q queries, T the
one or the other, D width, H heads.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Conv2D, Dense, Dropout, Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer, Model, run_blocks
from keras_tfm.layers.detection_heads import DeepHead, ObjectDetection
from keras_tfm.layers.detectors import DetectorConfig, make_extractor, make_places, real_pixels
from keras_tfm.layers.heads import Head
from keras_tfm.layers.images import channels_last, flatten, unflatten
from keras_tfm.layers.mask_heads import Looks, MaskHead
from keras_tfm.layers.mlp import MLP


@dataclass(kw_only=True)
class DetrConfig(DetectorConfig):
    model_type = "detr"

    num_queries: int = 100
    encoder_ffn_dim: int = 2048
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 8
    encoder_layerdrop: float = 0.0  # of no effect here
    decoder_layerdrop: float = 0.0  # of no effect here
    activation_function: str = "relu"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    mask_loss_coefficient: float = 1
    dice_loss_coefficient: float = 1
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1


class DetrBlock(Layer):
    """Tokens look at each other, in decoders at pixels, too, and an MLP follows. Where things are is added to what
    looks and to what is looked at, not to what is seen.

    Args:
        c: the configuration.
        side: "encoder" or "decoder".
        norms_first: whether norms come before the layers, instead of behind.
    """

    def __init__(self, c, side, norms_first=False, **kwargs):
        super().__init__(**kwargs)
        width, heads, hidden = c.d_model, getattr(c, f"{side}_attention_heads"), getattr(c, f"{side}_ffn_dim")
        self.norms_first = norms_first
        self.attention = Attention(width, heads, dropout=c.attention_dropout)
        self.attention_norm = LayerNormalization(epsilon=1e-5)
        if side == "decoder":
            self.cross_attention = Attention(width, heads, dropout=c.attention_dropout)
            self.cross_attention_norm = LayerNormalization(epsilon=1e-5)
        self.mlp = MLP(width, hidden, c.activation_function, dropout=c.activation_dropout)
        self.mlp_norm = LayerNormalization(epsilon=1e-5)
        self.dropout = Dropout(c.dropout)

    def add(self, x, norm, branch):
        """x (B, T, D) and what a branch makes of it."""
        if self.norms_first:
            return x + self.dropout(branch(norm(x)))
        return norm(x + self.dropout(branch(x)))

    def call(
        self,
        x,
        places,
        attend=None,
        context=None,
        context_places=None,
        attend_context=None,
        finish=None,
        cache=None,
        weights=False,
    ):
        """x (B, T, D), their places (B or 1, T, D) -> (B, T, D), None, {name: weights (B, H, T, T or S)}.

        Args:
            attend: which of x may be looked at, (B, 1, 1, T).
            context, context_places, attend_context: the same of the pixels, (B, S, D) twice and (B, 1, 1, S).
            finish: what normalises the result. Default: nothing.
        """
        seen = {}

        def look_at_each_other(x):
            y, _, seen["attentions"] = self.attention(
                x + places, context=x + places, values=x, attend=attend, weights=weights
            )
            return y

        def look_at_pixels(x):
            y, _, seen["cross_attentions"] = self.cross_attention(
                x + places, context=context + context_places, values=context, attend=attend_context, weights=weights
            )
            return y

        x = self.add(x, self.attention_norm, look_at_each_other)
        if context is not None:
            x = self.add(x, self.cross_attention_norm, look_at_pixels)
        x = self.add(x, self.mlp_norm, self.mlp)
        return x if finish is None else finish(x), None, seen


class DetrEncoder(Layer):
    """Pixels that look at each other. Where norms come first, there is one behind the last block."""

    def __init__(self, c, norms_first, **kwargs):
        super().__init__(**kwargs)
        self.config, self.dropout = c, Dropout(c.dropout)
        self.blocks = [DetrBlock(c, "encoder", norms_first) for _ in range(c.encoder_layers)]
        self.norm = LayerNormalization(epsilon=1e-5) if norms_first else None

    def call(self, x, places, attend=None, states=None, weights=None):
        """x (B, S, D), places, attend (B, 1, 1, S) -> (B, S, D) and what is asked for."""
        options = {"attend": attend, "places": places}
        x, states = run_blocks(self.blocks, self.dropout(x), self.config, None, states, weights, **options)
        return x if self.norm is None else self.norm(x), states


class DetrDecoder(Layer):
    """Queries that look at each other and at pixels. With the configuration's `auxiliary_loss` the norm behind the last
    block stands behind each of the others, too."""

    def __init__(self, c, norms_first, **kwargs):
        super().__init__(**kwargs)
        self.config = c
        self.blocks = [DetrBlock(c, "decoder", norms_first) for _ in range(c.decoder_layers)]
        self.norm = LayerNormalization(epsilon=1e-5)

    def call(self, places, pixels, pixel_places, attend=None, weights=None):
        """The queries' places (1, Q, D), pixels and their places (B, S, D), attend (B, 1, 1, S) -> (B, Q, D), what is
        asked for, and always hidden_states."""
        x = ops.zeros_like(pixels[:, :1]) + ops.zeros_like(places)
        options = {"context": pixels, "context_places": pixel_places, "attend_context": attend}
        finish = self.norm if self.config.auxiliary_loss else None
        x, states = run_blocks(
            self.blocks, x, self.config, None, True, weights, places=places, finish=finish, **options
        )
        return self.norm(x), states


class DetrModel(Model):
    """A backbone, and a transformer whose encoder sees the last of its maps and whose decoder sees queries.

    Call it with a dict of pixel_values (B, 3, h, w) and, where pictures were padded to one size, pixel_mask (B, h, w).
    It returns a dict of last_hidden_state (B, Q, D), encoder_last_hidden_state (B, S, D), with `auxiliary_loss`
    intermediate_hidden_states (blocks, B, Q, D), and of what is asked for: encoder_hidden_states, encoder_attentions,
    decoder_hidden_states, decoder_attentions and cross_attentions.
    """

    config_class = DetrConfig
    served = {"pixel_values": ((None, 3, None, None), "float32"), "pixel_mask": ((None, None, None), "int32")}
    norms_first = False

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.extractor = make_extractor(c)
        self.places = make_places(c)
        self.project = Conv2D(c.d_model, 1)
        self.queries = Embedding(c.num_queries, c.d_model)
        self.encoder, self.decoder = DetrEncoder(c, self.norms_first), DetrDecoder(c, self.norms_first)

    def signature(self):
        return self.served | self.extractor.signature()

    def call(self, inputs, output_hidden_states=None, output_attentions=None, output_maps=False, training=None):
        """inputs as above -> the last states and what else is asked for.

        Args:
            output_hidden_states, output_attentions: whether to return them. Default: as the configuration says.
            output_maps: whether to return what masks are made of: maps, the backbone's (B, C, h, w), `projected`, the
                last one (B, h, w, D), and `real`, which of its pixels are not padding (B, h, w).
        """
        c, mask = self.config, inputs.get("pixel_mask")
        weights = c.output_attentions if output_attentions is None else output_attentions
        wanted = c.output_hidden_states if output_hidden_states is None else output_hidden_states
        maps = self.extractor({"pixel_values": inputs["pixel_values"]}, training=training)["feature_maps"]
        projected = self.project(channels_last(maps[-1]))
        real = real_pixels(mask, projected)
        places, attend = flatten(self.places(real)), None
        if mask is not None:
            attend = ops.reshape(real, (ops.shape(real)[0], 1, 1, -1))
        pixels, encoded = self.encoder(flatten(projected), places, attend=attend, states=wanted, weights=weights)
        queries = self.queries(ops.arange(c.num_queries))[None]
        x, decoded = self.decoder(queries, pixels, places, attend=attend, weights=weights)

        states = {f"encoder_{name}": values for name, values in encoded.items()}
        hidden = decoded.pop("hidden_states")
        if c.auxiliary_loss:
            states["intermediate_hidden_states"] = ops.stack(hidden[1:])
        if wanted:
            states["decoder_hidden_states"] = (*hidden[:-1], x)
        if weights:
            states["decoder_attentions"] = decoded["attentions"]
            states["cross_attentions"] = decoded["cross_attentions"]
        if output_maps:
            states |= {"maps": maps, "projected": projected, "real": real}
        return {"last_hidden_state": x, "encoder_last_hidden_state": pixels} | states


class DetrForObjectDetection(ObjectDetection, Head):
    """`ObjectDetection` by the queries, besides what `DetrModel` returns."""

    backbone_class = DetrModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.classes, self.boxes = Dense(self.config.num_labels + 1), DeepHead(self.config.d_model, 4)

    def predict_objects(self, x):
        """x (B, Q, D) -> logits (B, Q, classes + 1) and pred_boxes (B, Q, 4)."""
        return {"logits": self.classes(x), "pred_boxes": ops.sigmoid(self.boxes(x))}

    def call(self, inputs, training=None, **options):
        """inputs -> logits, pred_boxes, the last states and what else is asked for."""
        outputs = self.backbone(inputs, training=training, **options)
        found = self.predict_objects(outputs["last_hidden_state"])
        states = outputs.pop("intermediate_hidden_states", None)
        if states is not None:
            found["auxiliary_outputs"] = tuple(self.predict_objects(states[i]) for i in range(states.shape[0] - 1))
        return found | outputs


class DetrForSegmentation(DetrForObjectDetection):
    """The same, and a mask for each query: pred_masks (B, Q, h / 4, w / 4), as logits.

    Raises:
        ValueError: the backbone hands out less than four maps.
    """

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c, handed = self.config, len(self.backbone.extractor.out_channels)
        if handed < 4:
            raise ValueError(
                f"masks are made of four maps, the backbone hands out {handed}: give backbone_config four out_features"
            )
        self.looks = Looks(c.d_model, c.encoder_attention_heads)
        self.masks = MaskHead(c.d_model, c.encoder_attention_heads)

    def call(self, inputs, training=None, **options):
        """inputs -> logits, pred_boxes, pred_masks, the last states and what else is asked for."""
        outputs = super().call(inputs, training=training, output_maps=True, **options)
        maps, projected, real = (outputs.pop(name) for name in ("maps", "projected", "real"))
        pixels = unflatten(outputs["encoder_last_hidden_state"], *ops.shape(projected)[1:3])
        looks = self.looks(outputs["last_hidden_state"], pixels, real)
        masks = self.masks(projected, looks, [channels_last(x) for x in maps[2::-1]])
        return outputs | {"pred_masks": masks}

"""Deformable DETR: DETR whose pixels and queries look only at a few points of maps of several sizes (arXiv:2010.04159).

Shapes: B batch, h and w the height and width of a picture or map, L maps ("levels"), S their pixels together, Q
queries, D width, H heads, P points of a head in each map.
"""

import math
from dataclasses import dataclass

from keras import ops
from keras.initializers import Constant
from keras.layers import Dense, Dropout, Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer, Model, run_blocks
from keras_tfm.layers.convolutions import Convolution, GroupNorm
from keras_tfm.layers.deformable import DeformableAttention, pixel_places
from keras_tfm.layers.detection_heads import DeepHead, ObjectDetection
from keras_tfm.layers.detectors import DetectorConfig, make_extractor, make_places, real_pixels
from keras_tfm.layers.heads import Head
from keras_tfm.layers.images import channels_last, flatten
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import waves
from keras_tfm.runtime.tracing import sizes_are_known
from keras_tfm.training.detection import FocalDetectionLoss


@dataclass(kw_only=True)
class DeformableDetrConfig(DetectorConfig):
    model_type = "deformable_detr"

    num_queries: int = 300
    max_position_embeddings: int = 1024  # of no effect
    encoder_ffn_dim: int = 1024
    decoder_layers: int = 6
    decoder_ffn_dim: int = 1024
    decoder_attention_heads: int = 8
    encoder_layerdrop: float = 0.0  # of no effect here
    activation_function: str = "relu"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    num_feature_levels: int = 4
    encoder_n_points: int = 4
    decoder_n_points: int = 4
    two_stage: bool = False
    two_stage_num_proposals: int = 300
    with_box_refine: bool = False
    class_cost: float = 1
    bbox_cost: float = 5
    giou_cost: float = 2
    mask_loss_coefficient: float = 1
    dice_loss_coefficient: float = 1
    bbox_loss_coefficient: float = 5
    giou_loss_coefficient: float = 2
    eos_coefficient: float = 0.1
    focal_alpha: float = 0.25
    disable_custom_kernels: bool = False  # of no effect here

    def __post_init__(self):
        stored = self.backbone, self.use_pretrained_backbone, self.dilation
        super().__post_init__()
        self.backbone, self.use_pretrained_backbone, self.dilation = stored
        if self.two_stage and not self.with_box_refine:
            raise ValueError("two_stage goes with with_box_refine: set both")


class DeformableLevel(Layer):
    """A map in the width of all, normalised.

    Args:
        width: D.
        halves: whether it becomes half as large.
    """

    def __init__(self, width, halves, **kwargs):
        super().__init__(**kwargs)
        self.convolution = Convolution(width, 3, strides=2) if halves else Convolution(width, 1)
        self.norm = GroupNorm()

    def call(self, maps):
        """maps (B, h, w, C) -> (B, h, w, D), or (B, h / 2, w / 2, D)."""
        return self.norm(self.convolution(maps))


class DeformableEncoderBlock(Layer):
    """Pixels look at points around them in all maps; an MLP follows."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.attention = DeformableAttention(
            c.d_model, c.encoder_attention_heads, c.num_feature_levels, c.encoder_n_points
        )
        self.attention_norm = LayerNormalization(epsilon=1e-5)
        self.mlp = MLP(c.d_model, c.encoder_ffn_dim, c.activation_function, dropout=c.activation_dropout)
        self.mlp_norm = LayerNormalization(epsilon=1e-5)
        self.dropout = Dropout(c.dropout)

    def call(self, x, places, points, real, sizes, cache=None, weights=False):
        """x (B, S, D) -> x, None, {"attentions": how much each point counts, (B, S, H, L, P)}.

        Args:
            places: where they are, (B, S, D), and as `points` (B, S, L, 2) in each map.
            real: bool (B, S), False for padding.
            sizes: [(h, w) of each map].
        """
        y, seen = self.attention(x + places, x, points, sizes=sizes, real=real)
        x = self.attention_norm(x + self.dropout(y))
        return self.mlp_norm(x + self.dropout(self.mlp(x))), None, {"attentions": seen}


class DeformableDecoderBlock(Layer):
    """Queries look at each other and at points in all maps; an MLP follows."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width, heads = c.d_model, c.decoder_attention_heads
        self.attention = Attention(width, heads, dropout=c.attention_dropout)
        self.attention_norm = LayerNormalization(epsilon=1e-5)
        self.cross_attention = DeformableAttention(width, heads, c.num_feature_levels, c.decoder_n_points)
        self.cross_attention_norm = LayerNormalization(epsilon=1e-5)
        self.mlp = MLP(width, c.decoder_ffn_dim, c.activation_function, dropout=c.activation_dropout)
        self.mlp_norm = LayerNormalization(epsilon=1e-5)
        self.dropout = Dropout(c.dropout)

    def call(self, x, places, pixels, points, real, sizes, weights=False):
        """x (B, Q, D) -> x, the queries' attention to each other (B, H, Q, Q) or None, that to points (B, Q, H, L, P).

        Args:
            places: the queries' own, (B, Q, D), and as `points` (B, Q, L, 2 or 4) in each map.
            pixels, real, sizes: what they look at, (B, S, D) and (B, S), see `DeformableAttention`.
        """
        y, _, seen = self.attention(x + places, context=x + places, values=x, weights=weights)
        x = self.attention_norm(x + self.dropout(y))
        y, looked = self.cross_attention(x + places, pixels, points, sizes=sizes, real=real)
        x = self.cross_attention_norm(x + self.dropout(y))
        return self.mlp_norm(x + self.dropout(self.mlp(x))), seen, looked


class DeformableEncoder(Layer):
    """Blocks of the pixels of all maps."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.config, self.dropout = c, Dropout(c.dropout)
        self.blocks = [DeformableEncoderBlock(c) for _ in range(c.encoder_layers)]

    def call(self, x, places, points, real, sizes, states=None, weights=None):
        """As `DeformableEncoderBlock.call` -> (B, S, D) and what is asked for."""
        options = {"places": places, "points": points, "real": real, "sizes": sizes}
        return run_blocks(self.blocks, self.dropout(x), self.config, None, states, weights, **options)


class DeformableDecoder(Layer):
    """Blocks of queries. If it is given the `boxes` of a head, one for each block, they move the points that queries
    look around, from block to block."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [DeformableDecoderBlock(c) for _ in range(c.decoder_layers)]
        self.boxes = self.classes = None

    def call(self, x, places, points, pixels, parts, real, sizes, weights=False):
        """Queries (B, Q, D), their places (B, Q, D) and points (B, Q, 2 or 4) -> what each block returns: lists of the
        queries, of the points, and of the attentions, see `DeformableDecoderBlock.call`.

        Args:
            parts: (B, L, 2), how much of the width and height of each map is no padding.
        """
        found = [], [], [], []
        for i, block in enumerate(self.blocks):
            scale = ops.tile(parts, (1, 1, points.shape[-1] // 2))[:, None]
            x, seen, looked = block(x, places, pixels, points[:, :, None] * scale, real, sizes=sizes, weights=weights)
            if self.boxes is not None:
                points = ops.stop_gradient(moved(points, self.boxes[i](x)))
            for values, value in zip(found, (x, points, seen, looked), strict=True):
                values.append(value)
        return found


def moved(points, change):
    """points (.., 2) or boxes (.., 4), from 0 to 1, and how a head wants to change them, as logits (.., 4) -> boxes."""
    low, high = (ops.maximum(x, 1e-5) for x in (points, 1 - points))
    logits = ops.log(low / high)
    if points.shape[-1] == 2:
        logits = ops.concatenate([logits, ops.zeros_like(logits)], axis=-1)
    return ops.sigmoid(change + logits)


class DeformableProposals(Layer):
    """The first of two stages: every pixel proposes a box; the best become queries.

    Args:
        width: D.
        count: Q.
    """

    def __init__(self, width, count, **kwargs):
        super().__init__(**kwargs)
        self.width, self.count = width, count
        self.project, self.norm = Dense(width), LayerNormalization(epsilon=1e-5)
        self.queries, self.queries_norm = Dense(2 * width), LayerNormalization(epsilon=1e-5)

    def call(self, pixels, places, real, sizes, classes, boxes):
        """pixels (B, S, D) -> the class logits (B, S, classes) of all and their boxes as logits (B, S, 4), infinite
        where there is none; of the best the boxes (B, Q, 4), and their places and queries (B, Q, D).

        Args:
            places: (B, S, 2), from 0 to 1.
            real, sizes: bool (B, S), False for padding; [(h, w) of each map].
            classes, boxes: the head's layers.

        Raises:
            ValueError: there are fewer pixels than Q.
        """
        if sizes_are_known(ops.shape(pixels)[1]) and pixels.shape[1] < self.count:
            raise ValueError(
                f"the maps have {pixels.shape[1]} pixels, too few for two_stage_num_proposals {self.count}: give "
                "larger pixel_values"
            )
        sides = [ops.full((h * w, 2), 0.05 * 2.0**level, places.dtype) for level, (h, w) in enumerate(sizes)]
        proposed = ops.concatenate([places, ops.zeros_like(places) + ops.concatenate(sides)], axis=-1)
        inside = ops.all((proposed > 0.01) & (proposed < 0.99), axis=-1, keepdims=True) & real[..., None]
        proposed = ops.where(inside, proposed, 0.5)
        x = self.norm(self.project(ops.where(inside, pixels, 0.0)))
        scores = classes(x)
        logits = boxes(x) + ops.where(inside, ops.log(proposed / (1 - proposed)), math.inf)
        _, best = ops.top_k(scores[..., 0], self.count)
        chosen = ops.stop_gradient(ops.sigmoid(ops.take_along_axis(logits, best[..., None], axis=1)))
        told = waves(chosen * (2 * math.pi), self.width // 2)
        told = ops.reshape(told, (-1, self.count, 2 * self.width))
        places, x = ops.split(self.queries_norm(self.queries(told)), 2, axis=-1)
        return scores, logits, chosen, places, x


class DeformableDetrModel(Model):
    """A backbone, and a transformer whose encoder sees its maps and whose decoder sees queries.

    Call it with a dict of pixel_values (B, 3, h, w) and, where pictures were padded to one size, pixel_mask (B, h, w).
    It returns a dict of last_hidden_state (B, Q, D), encoder_last_hidden_state (B, S, D); init_reference_points, where
    queries begin to look, (B, Q, 2), or (B, Q, 4) with `two_stage`; intermediate_hidden_states (B, blocks, Q, D) and
    intermediate_reference_points (B, blocks, Q, 2 or 4); with `two_stage` what all pixels propose, enc_outputs_class
    (B, S, classes) and enc_outputs_coord_logits (B, S, 4); and what is asked for: encoder_hidden_states,
    encoder_attentions, decoder_hidden_states, decoder_attentions, cross_attentions.

    Raises:
        ValueError: the backbone hands out more maps than `num_feature_levels`; or `two_stage`, which a head is needed
            for: proposals are made by its layers.
    """

    config_class = DeformableDetrConfig
    served = {"pixel_values": ((None, 3, None, None), "float32"), "pixel_mask": ((None, None, None), "int32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.extractor = make_extractor(c, (2, 3, 4) if c.num_feature_levels > 1 else (4,))
        handed = len(self.extractor.out_channels)
        if handed > c.num_feature_levels:
            raise ValueError(
                f"the backbone hands out {handed} maps, num_feature_levels is {c.num_feature_levels}: it must be at "
                "least as many, or the backbone_config's out_features fewer"
            )
        self.places = make_places(c, shift=0.5)
        self.levels = [DeformableLevel(c.d_model, i >= handed) for i in range(c.num_feature_levels)]
        self.marks = Embedding(c.num_feature_levels, c.d_model)
        self.encoder, self.decoder = DeformableEncoder(c), DeformableDecoder(c)
        if c.two_stage:
            self.proposals = DeformableProposals(c.d_model, c.two_stage_num_proposals)
        else:
            self.queries, self.points = Embedding(c.num_queries, 2 * c.d_model), Dense(2)

    def signature(self):
        return self.served | self.extractor.signature()

    def building_signature(self):
        if not self.config.two_stage:
            return self.signature()
        side = 32 * math.isqrt(self.config.two_stage_num_proposals) + 32  # has pixels enough in every map
        sizes = {"pixel_values": (None, self.config.num_channels, side, side), "pixel_mask": (None, side, side)}
        return {name: (size, self.served[name][1]) for name, size in sizes.items()}

    def maps(self, pixel_values, training):
        """pixel_values (B, 3, h, w) -> the maps (B, h, w, D) of all levels."""
        found = self.extractor({"pixel_values": pixel_values}, training=training)["feature_maps"]
        handed, maps = [channels_last(x) for x in found], []
        for i, level in enumerate(self.levels):
            maps.append(level(handed[i] if i < len(handed) else handed[-1] if i == len(handed) else maps[-1]))
        return maps

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> the last states and what else is asked for."""
        c = self.config
        weights = c.output_attentions if output_attentions is None else output_attentions
        wanted = c.output_hidden_states if output_hidden_states is None else output_hidden_states
        maps = self.maps(inputs["pixel_values"], training)
        sizes = [ops.shape(x)[1:3] for x in maps]
        masks, marks = [real_pixels(inputs.get("pixel_mask"), x) for x in maps], self.marks(ops.arange(len(maps)))
        real = ops.concatenate([flatten(mask[..., None])[..., 0] for mask in masks], axis=1)
        whole = ops.stack([ops.stack([ops.cast(n, "float32") for n in (w, h)]) for h, w in sizes])  # (L, 2)
        counts = [ops.stack([ops.sum(ops.cast(m, "float32"), 1) for m in (x[:, 0], x[:, :, 0])], -1) for x in masks]
        counts = ops.stack(counts, axis=1)  # (B, L, 2)
        spots, parts = pixel_places(sizes, counts), counts / whole

        places = ops.concatenate([flatten(self.places(mask)) + marks[i] for i, mask in enumerate(masks)], axis=1)
        x = ops.concatenate([flatten(level) for level in maps], axis=1)
        points, options = spots * parts[:, None], {"sizes": sizes, "weights": weights}
        pixels, encoded = self.encoder(x, places, points, real, states=wanted, **options)

        outputs = {}
        if c.two_stage:
            if self.decoder.classes is None:
                raise ValueError("two_stage needs the layers of a head: use DeformableDetrForObjectDetection")
            last = {"classes": self.decoder.classes[-1], "boxes": self.decoder.boxes[-1]}
            scores, logits, points, places, x = self.proposals(pixels, spots[:, :, 0], real, sizes=sizes, **last)
            outputs = {"enc_outputs_class": scores, "enc_outputs_coord_logits": logits}
        else:
            both = self.queries(ops.arange(c.num_queries))[None]
            both = ops.broadcast_to(both, (ops.shape(pixels)[0], *both.shape[1:]))
            places, x = ops.split(both, 2, axis=-1)
            points = ops.sigmoid(self.points(places))
        queries, moves, seen, looked = self.decoder(x, places, points, pixels, parts, real, **options)

        outputs |= {f"encoder_{name}": values for name, values in encoded.items()}
        if wanted:
            outputs["decoder_hidden_states"] = (x, *queries)
        if weights:
            outputs |= {"decoder_attentions": tuple(seen), "cross_attentions": tuple(looked)}
        return {
            "init_reference_points": points,
            "last_hidden_state": queries[-1],
            "intermediate_hidden_states": ops.stack(queries, axis=1),
            "intermediate_reference_points": ops.stack(moves, axis=1),
            "encoder_last_hidden_state": pixels,
        } | outputs


class DeformableDetrForObjectDetection(ObjectDetection, Head):
    """As `ObjectDetection`, but that no class stands for nothing: logits (B, Q, classes), each on its own; besides what
    `DeformableDetrModel` returns. With `with_box_refine` each block has layers of its own for classes and boxes."""

    backbone_class = DeformableDetrModel
    loss_class = FocalDetectionLoss

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        count = c.decoder_layers + c.two_stage if c.with_box_refine else 1
        prior = Constant(-math.log(99))  # at first all are unlikely
        self.classes = [Dense(c.num_labels, bias_initializer=prior) for _ in range(count)]
        self.boxes = [DeepHead(c.d_model, 4) for _ in range(count)]
        if c.with_box_refine:
            self.backbone.decoder.boxes = self.boxes
        if c.two_stage:
            self.backbone.decoder.classes = self.classes

    def call(self, inputs, training=None, **options):
        """inputs -> logits, pred_boxes, the last states and what else is asked for."""
        outputs = self.backbone(inputs, training=training, **options)
        states, points = outputs["intermediate_hidden_states"], outputs["intermediate_reference_points"]

        def predict_objects(block):
            i = block if self.config.with_box_refine else 0
            x, before = states[:, block], points[:, block - 1] if block else outputs["init_reference_points"]
            return {"logits": self.classes[i](x), "pred_boxes": moved(before, self.boxes[i](x))}

        *others, last = (predict_objects(block) for block in range(self.config.decoder_layers))
        return last | ({"auxiliary_outputs": tuple(others)} if self.config.auxiliary_loss else {}) | outputs

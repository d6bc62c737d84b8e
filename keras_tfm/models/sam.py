"""SAM: the masks of what points, boxes and rough masks in a picture mean (arXiv:2304.02643).

Shapes: B batch, N prompts for a picture, P points of a prompt, h and w the height and width of a map, D width,
T tokens, H heads, M masks for a prompt.
"""

import math
from dataclasses import dataclass, field

from keras import ops
from keras.initializers import Zeros
from keras.layers import Conv2D, Conv2DTranspose, Dense, Embedding, LayerNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.attention import Attention, attention_weights, merge_heads, split_heads
from keras_tfm.layers.base import Layer, Model, Normal, run_blocks
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.convolutions import Convolution
from keras_tfm.layers.images import channels_first, channels_last, flatten
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.windows import attend_in_windows
from keras_tfm.runtime.tracing import sizes_are_known


@dataclass(kw_only=True)
class SamVisionConfig(Config):
    hidden_size: int = 768
    output_channels: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 1024
    patch_size: int = 16
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    initializer_range: float = 1e-10
    qkv_bias: bool = True
    mlp_ratio: float = 4.0
    use_abs_pos: bool = True
    use_rel_pos: bool = True
    window_size: int = 14
    global_attn_indexes: list = field(default_factory=lambda: [2, 5, 8, 11])
    num_pos_feats: int = 128
    mlp_dim: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.mlp_dim is None:
            self.mlp_dim = int(self.hidden_size * self.mlp_ratio)


@dataclass(kw_only=True)
class SamPromptEncoderConfig(Config):
    hidden_size: int = 256
    image_size: int = 1024
    patch_size: int = 16
    mask_input_channels: int = 16
    num_point_embeddings: int = 4
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6


@dataclass(kw_only=True)
class SamMaskDecoderConfig(Config):
    hidden_size: int = 256
    hidden_act: str = "relu"
    mlp_dim: int = 2048
    num_hidden_layers: int = 2
    num_attention_heads: int = 8
    attention_downsample_rate: int = 2
    num_multimask_outputs: int = 3
    iou_head_depth: int = 3
    iou_head_hidden_dim: int = 256
    layer_norm_eps: float = 1e-6


@dataclass(kw_only=True)
class SamConfig(CompositeConfig):
    model_type = "sam"
    parts = {
        "vision_config": SamVisionConfig,
        "prompt_encoder_config": SamPromptEncoderConfig,
        "mask_decoder_config": SamMaskDecoderConfig,
    }

    vision_config: SamVisionConfig | dict | None = None
    prompt_encoder_config: SamPromptEncoderConfig | dict | None = None
    mask_decoder_config: SamMaskDecoderConfig | dict | None = None
    initializer_range: float = 0.02


class DecomposedAttention(Attention):
    """Attention over the pixels of a square map, biased by how many rows and columns lie between two of them.

    Args:
        size: the side of the map.
        relative: whether there are such biases.
    """

    def __init__(self, *args, size, relative, **kwargs):
        super().__init__(*args, **kwargs)
        self.size, self.relative = size, relative
        self.rows_initializer = self.columns_initializer = Zeros()

    def build(self, shape):
        if self.relative:
            shape = (2 * self.size - 1, self.channels)
            self.rows = self.add_weight(name="rows", shape=shape, initializer=self.rows_initializer)
            self.columns = self.add_weight(name="columns", shape=shape, initializer=self.columns_initializer)

    def score_bias(self, query, key, start):
        if not self.relative:
            return None
        n = self.size
        distance = ops.arange(n)[:, None] - ops.arange(n)[None] + n - 1
        rows, columns = (ops.take(ops.cast(x, query.dtype), distance, axis=0) for x in (self.rows, self.columns))
        query = ops.reshape(query, (-1, n, n, *query.shape[2:]))
        bias = ops.einsum("byxhc,ykc->bhyxk", query, rows)[..., None]  # for each row of keys
        bias = bias + ops.einsum("byxhc,xkc->bhyxk", query, columns)[..., None, :]
        return ops.reshape(bias, (-1, self.heads, n * n, n * n))


class SamImageEmbeddings(Layer):
    """A map of patches, with learned positions."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.patches = Conv2D(c.hidden_size, c.patch_size, strides=c.patch_size)
        self.image_size, side = c.image_size, c.image_size // c.patch_size
        self.map_shape = 1, side, side, c.hidden_size
        self.channels, self.has_positions = c.num_channels, c.use_abs_pos
        self.positions_initializer = Zeros()

    def build(self, shape):
        if self.has_positions:
            self.positions = self.add_weight(
                name="positions", shape=self.map_shape, initializer=self.positions_initializer
            )

    def call(self, pixel_values):
        """pixel_values (B, 3, image_size, image_size) -> (B, h, w, D).

        Raises:
            ValueError: pictures of another size.
        """
        images = channels_last(pixel_values, self.channels)
        size = ops.shape(images)[1:3]
        if sizes_are_known(*size) and size != (self.image_size, self.image_size):
            raise ValueError(
                f"pixel_values are {size[0]} x {size[1]}, the model is made for {self.image_size} x {self.image_size}: "
                "resize and pad them"
            )
        maps = self.patches(images)
        return maps + ops.cast(self.positions, maps.dtype) if self.has_positions else maps


class SamVisionBlock(Layer):
    """Attention within windows, or over the whole map (`window` 0), and an MLP."""

    def __init__(self, c, window, **kwargs):
        super().__init__(**kwargs)
        self.window = window
        self.attention_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.attention = DecomposedAttention(
            c.hidden_size,
            c.num_attention_heads,
            bias=c.qkv_bias,
            project_bias=True,
            dropout=c.attention_dropout,
            size=window or c.image_size // c.patch_size,
            relative=c.use_rel_pos,
        )
        self.mlp_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.mlp = MLP(c.hidden_size, c.mlp_dim, c.hidden_act)

    def call(self, maps, cache=None, weights=False):
        """maps (B, h, w, D) -> (B, h, w, D), None, the windows' {"attentions": (B * windows * H, T, T)}."""
        y = self.attention_norm(maps)
        if self.window:
            y, seen = attend_in_windows(self.attention, y, self.window, weights=weights)
        else:
            y, _, seen = self.attention(flatten(y), weights=weights)
        maps = maps + ops.reshape(y, ops.shape(maps))
        seen = None if seen is None else ops.reshape(seen, (-1, *seen.shape[2:]))
        return maps + self.mlp(self.mlp_norm(maps)), None, {"attentions": seen}


class SamVisionEncoder(Layer):
    """A transformer over the patches, and two convolutions that narrow their map."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.config = c
        self.embeddings = SamImageEmbeddings(c)
        windows = [0 if i in c.global_attn_indexes else c.window_size for i in range(c.num_hidden_layers)]
        self.blocks = [SamVisionBlock(c, window) for window in windows]
        self.convolutions = [Convolution(c.output_channels, size, use_bias=False) for size in (1, 3)]
        self.norms = [LayerNormalization(epsilon=1e-6) for _ in self.convolutions]

    def call(self, pixel_values, output_hidden_states=None, output_attentions=None):
        """pixel_values (B, 3, image_size, image_size) -> (B, h, w, D), and what else is asked for."""
        maps = self.embeddings(pixel_values)
        maps, states = run_blocks(self.blocks, maps, self.config, None, output_hidden_states, output_attentions)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            maps = norm(convolution(maps))
        return maps, states


class SamPositions(Layer):
    """Places in the picture as waves of random frequencies, which the checkpoint keeps."""

    def __init__(self, c, **kwargs):
        super().__init__(autocast=False, **kwargs)  # in half precision, pixels would not be told apart
        self.count, self.frequencies_initializer = c.num_pos_feats, Normal(stddev=c.hidden_size // 2)

    def build(self, shape):
        self.frequencies = self.add_weight(
            name="frequencies", shape=(2, self.count), initializer=self.frequencies_initializer, trainable=False
        )

    def call(self, places):
        """places (.., 2), x and y from 0 to 1 -> (.., D)."""
        waves = 2 * math.pi * ops.matmul(2 * places - 1, ops.cast(self.frequencies, places.dtype))
        return ops.cast(ops.concatenate([ops.sin(waves), ops.cos(waves)], axis=-1), self.compute_dtype)


def every_row(table):
    """The rows of an `Embedding`, (rows, D)."""
    return table(ops.arange(table.input_dim))


class SamPromptEncoder(Layer):
    """Points and boxes as tokens, masks as a map."""

    def __init__(self, c, vision, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.config = c
        self.positions = SamPositions(vision)
        self.points = [Embedding(1, c.hidden_size) for _ in range(c.num_point_embeddings)]
        self.not_a_point, self.no_mask = Embedding(1, c.hidden_size), Embedding(1, c.hidden_size)
        quarter, whole = c.mask_input_channels // 4, c.mask_input_channels
        self.convolutions = [Conv2D(quarter, 2, 2), Conv2D(whole, 2, 2), Conv2D(c.hidden_size, 1)]
        self.norms = [LayerNormalization(epsilon=c.layer_norm_eps) for _ in range(2)]
        self.activation = activation(c.hidden_act)

    def build(self, shape):
        for table in (*self.points, self.not_a_point, self.no_mask):  # no call reaches all of them
            table.build(None)

    def call(self, inputs):
        """The prompts -> their tokens (B, N, T, D), or None without points and boxes, and a map (B or 1, h, w, D)."""
        points, boxes, masks = (inputs.get(f"input_{name}") for name in ("points", "boxes", "masks"))
        tokens = []
        if points is not None:
            labels = inputs.get("input_labels")
            labels = ops.ones_like(points[..., 0], "int32") if labels is None else ops.cast(labels, "int32")
            x = self.embed_points(points, labels[..., None])
            tokens.append(x)
            if boxes is None:  # a point that is none takes their place
                tokens.append(ops.broadcast_to(every_row(self.not_a_point), (*ops.shape(x)[:2], 1, x.shape[3])))
        if boxes is not None:
            corners = self.embed_places(ops.reshape(boxes, (*ops.shape(boxes)[:2], 2, 2)))
            tokens.append(corners + ops.concatenate([every_row(point) for point in self.points[2:4]]))
        return ops.concatenate(tokens, axis=2) if tokens else None, self.embed_masks(masks)

    def embed_places(self, pixels):
        """pixels (.., 2), x and y -> their middles' waves (.., D)."""
        return self.positions((pixels + 0.5) / self.config.image_size)

    def embed_points(self, points, labels):
        """points (B, N, P, 2), labels (B, N, P, 1) -> (B, N, P, D)."""
        x = ops.where(labels == -1, every_row(self.not_a_point), self.embed_places(points))
        x = ops.where(labels == -10, 0.0, x)
        for i, point in enumerate(self.points[:2]):
            x = ops.where(labels == i, x + every_row(point), x)
        return x

    def embed_masks(self, masks):
        """masks (B, 1, 4 h, 4 w) -> (B, h, w, D); None -> the same (1, h, w, D) everywhere."""
        if masks is None:
            side = self.config.image_size // self.config.patch_size
            return ops.broadcast_to(every_row(self.no_mask), (1, side, side, self.config.hidden_size))
        x = channels_last(masks, 1)
        for convolution, norm in zip(self.convolutions, self.norms, strict=False):
            x = self.activation(norm(convolution(x)))
        return self.convolutions[-1](x)


class GuidedAttention(Attention):
    """Attention that may be told besides how much the keys resemble a target."""

    def call(self, x, context=None, values=None, similarity=None, training=None):
        """x (B, T, D), context and values (B, S, D), similarity (B or 1, 1, 1, S) -> (B, T, D)."""
        if similarity is None:
            return super().call(x, context, values, training=training)[0]
        key, value = self.keys_and_values(context, values)
        seen = attention_weights(split_heads(self.query(x), self.heads), key, None, None, self.scale)
        return self.project(merge_heads(ops.einsum("bhts,bshc->bthc", ops.softmax(seen + similarity), value)))


class SamDecoderBlock(Layer):
    """Tokens look at each other, then at the picture, and the picture looks at the tokens.

    Args:
        c: the configuration.
        first: whether it is the first block, whose tokens are nothing but their places.
    """

    def __init__(self, c, first, **kwargs):
        super().__init__(**kwargs)
        self.first = first
        width, heads = c.hidden_size, c.num_attention_heads
        narrow = width // c.attention_downsample_rate // heads
        self.attention = Attention(width, heads)
        self.cross_attention = GuidedAttention(width, heads, channels=narrow)
        self.mlp = MLP(width, c.mlp_dim, c.hidden_act)
        self.picture_attention = GuidedAttention(width, heads, channels=narrow)
        for name in ("attention", "cross_attention", "mlp", "picture_attention"):
            setattr(self, f"{name}_norm", LayerNormalization(epsilon=c.layer_norm_eps))

    def call(self, x, picture, places, pixels, similarity=None):
        """tokens x and their `places` (B, T, D), the picture and the places of its `pixels` (B, h * w, D) -> x, the
        picture, what it gained (B, h * w, D)."""
        y = x if self.first else x + places
        y, _, _ = self.attention(y, context=y, values=x)
        x = self.attention_norm(y if self.first else x + y)
        y = self.cross_attention(x + places, context=picture + pixels, values=picture, similarity=similarity)
        x = self.cross_attention_norm(x + y)
        x = self.mlp_norm(x + self.mlp(x))
        gained = self.picture_attention(picture + pixels, context=x + places, values=x)
        return x, self.picture_attention_norm(picture + gained), gained


class FeedForward(Layer):
    """Dense layers (`depth` of them) with ReLUs between them: (.., D) -> (.., width)."""

    def __init__(self, hidden, width, depth, **kwargs):
        super().__init__(**kwargs)
        self.up = Dense(hidden, activation="relu")
        self.inner = [Dense(hidden, activation="relu") for _ in range(depth - 2)]
        self.down = Dense(width)

    def call(self, x):
        """x (.., D) -> (.., width)."""
        x = self.up(x)
        for dense in self.inner:
            x = dense(x)
        return self.down(x)


class SamMaskDecoder(Layer):
    """A token for each mask looks at the prompt and the picture; its product with a finer map is the mask."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width, self.masks = c.hidden_size, c.num_multimask_outputs + 1
        self.iou_token, self.mask_tokens = Embedding(1, width), Embedding(self.masks, width)
        self.blocks = [SamDecoderBlock(c, first=i == 0) for i in range(c.num_hidden_layers)]
        narrow = width // c.attention_downsample_rate // c.num_attention_heads
        self.cross_attention = GuidedAttention(width, c.num_attention_heads, channels=narrow)
        self.cross_attention_norm = LayerNormalization(epsilon=1e-5)
        self.upscale = [Conv2DTranspose(width // n, 2, 2) for n in (4, 8)]
        self.upscale_norm = LayerNormalization(epsilon=1e-6)
        self.activation = activation("gelu")
        self.mask_heads = [FeedForward(width, width // 8, 3) for _ in range(self.masks)]
        self.iou_head = FeedForward(c.iou_head_hidden_dim, self.masks, c.iou_head_depth)

    def call(self, picture, pixels, tokens=None, rough=None, similarity=None, target=None):
        """The picture (B, h, w, D), the places of its pixels (1, h * w, D), the prompts' tokens (B, N, T, D) and rough
        masks (B or 1, h, w, D) -> masks (B, N, M, 4 h, 4 w), their scores (B, N, M), what the picture gained from each
        block."""
        picture = picture + rough
        batch, (height, width, depth) = ops.shape(picture)[0], picture.shape[1:]
        prompts = 1 if tokens is None else ops.shape(tokens)[1]
        own = ops.concatenate([every_row(self.iou_token), every_row(self.mask_tokens)])
        x = ops.broadcast_to(own, (batch, prompts, *own.shape))
        x = x if tokens is None else ops.concatenate([x, ops.cast(tokens, x.dtype)], axis=2)
        guide = 0.0 if target is None else flat_prompts(target + ops.zeros_like(x))
        x = places = flat_prompts(x) + guide  # the reference adds the target in place, to both
        picture = flat_prompts(ops.broadcast_to(flatten(picture)[:, None], (batch, prompts, height * width, depth)))
        gains = []
        for i, block in enumerate(self.blocks):
            x, picture, gained = block(x + guide if i else x, picture, places, pixels, similarity=similarity)
            gains.append(gained[:, None])
        x = self.cross_attention_norm(x + self.cross_attention(x + places, context=picture + pixels, values=picture))

        maps = ops.reshape(picture, (-1, height, width, depth))
        maps = self.activation(self.upscale_norm(self.upscale[0](maps)))
        maps = self.activation(self.upscale[1](maps))
        filters = ops.stack([head(x[:, 1 + i]) for i, head in enumerate(self.mask_heads)], axis=1)
        masks = ops.einsum("bmd,bhwd->bmhw", filters, maps)
        masks = ops.reshape(masks, (batch, prompts, self.masks, 4 * height, 4 * width))
        return masks, ops.reshape(self.iou_head(x[:, 0]), (batch, prompts, self.masks)), tuple(gains)


def flat_prompts(x):
    """x (B, N, T, D) -> (B * N, T, D)."""
    return ops.reshape(x, (-1, ops.shape(x)[2], x.shape[3]))


class SamModel(Model):
    """Masks for each prompt, and how good they are.

    Call it with a dict of pixel_values (B, 3, image_size, image_size), or of image_embeddings, which
    `get_image_embeddings` made of them, and of what is to be found:
    - input_points (B, N, P, 2), x and y in pixels, and their input_labels (B, N, P): 1 for what is meant (the default),
      0 for what is not, -1 for no point, -10 for padding;
    - input_boxes (B, N, 4), x and y of two corners;
    - input_masks (B, 1, 4 h, 4 w), rough masks;
    - attention_similarity (B or 1, 1, 1, h * w) and target_embedding (B or 1, N or 1, 1, D), of something to look for
      (arXiv:2305.03048).

    It returns a dict of iou_scores (B, N, M) and pred_masks (B, N, M, 4 h, 4 w), greater than 0 inside, and, if asked
    for, vision_hidden_states, vision_attentions and mask_decoder_attentions.
    """

    config_class = SamConfig
    optional = ("input_boxes", "input_masks", "image_embeddings", "attention_similarity", "target_embedding")

    def __init__(self, config, **kwargs):
        super().__init__(config, autocast=False, **kwargs)  # see SamPositions
        c = self.config
        self.vision_encoder = SamVisionEncoder(c.vision_config)
        self.prompt_encoder = SamPromptEncoder(c.prompt_encoder_config, c.vision_config)
        self.mask_decoder = SamMaskDecoder(c.mask_decoder_config)

    served = {
        "pixel_values": ((None, 3, None, None), "float32"),
        "input_points": ((None, None, None, 2), "float32"),
        "input_labels": ((None, None, None), "int32"),
    }

    def signature(self):
        c = self.config.vision_config
        return self.served | {"pixel_values": ((None, c.num_channels, c.image_size, c.image_size), "float32")}

    def building_signature(self):
        c = self.config.prompt_encoder_config
        side = 4 * (c.image_size // c.patch_size)
        return self.signature() | {"input_masks": ((None, 1, side, side), "float32")}

    def get_image_wide_positional_embeddings(self):
        """The places of the map's pixels, (1, D, h, w)."""
        c = self.config.prompt_encoder_config
        side = c.image_size // c.patch_size
        middle = (ops.arange(side, dtype="float32") + 0.5) / side
        places = ops.stack(ops.meshgrid(middle, middle), axis=-1)
        return channels_first(self.prompt_encoder.positions(places)[None])

    def get_image_embeddings(self, inputs):
        """A dict of pixel_values -> image_embeddings (B, D, h, w), which may take their place for more prompts."""
        return channels_first(self.vision_encoder(inputs["pixel_values"])[0])

    def get_prompt_embeddings(self, inputs):
        """A dict of prompts -> their tokens (B, N, T, D), zeros if there are none, and a map (B, D, h, w)."""
        tokens, maps = self.prompt_encoder(inputs)
        if tokens is None:
            tokens = ops.zeros((1, 1, 1, maps.shape[-1]), maps.dtype)
        return tokens, channels_first(maps + ops.zeros_like(tokens[:, :1, :1]))  # as many as there are tokens for

    def call(self, inputs, multimask_output=True, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> iou_scores, pred_masks and what else is asked for.

        Args:
            multimask_output: True for several masks of what a prompt may mean (M of them), False for a single one.

        Raises:
            ValueError: both a picture and its embeddings, or neither; points and boxes of other shapes, or not as many
                boxes as prompts.
        """
        check(inputs)
        states, picture = {}, inputs.get("image_embeddings")
        if picture is None:
            asked = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
            picture, states = self.vision_encoder(inputs["pixel_values"], **asked)
        else:
            picture = channels_last(picture)
        tokens, rough = self.prompt_encoder(inputs)
        masks, scores, gains = self.mask_decoder(
            picture,
            flatten(channels_last(self.get_image_wide_positional_embeddings())),
            tokens=tokens,
            rough=rough,
            similarity=inputs.get("attention_similarity"),
            target=inputs.get("target_embedding"),
        )
        chosen = slice(1, None) if multimask_output else slice(0, 1)
        answer = {"iou_scores": scores[:, :, chosen], "pred_masks": masks[:, :, chosen]}
        answer |= {f"vision_{name}": state for name, state in states.items()}
        if self.config.output_attentions if output_attentions is None else output_attentions:
            answer["mask_decoder_attentions"] = gains
        return answer


def check(inputs):
    """Raises ValueError where inputs contradict each other."""
    points, boxes = inputs.get("input_points"), inputs.get("input_boxes")
    if (inputs.get("pixel_values") is None) == (inputs.get("image_embeddings") is None):
        raise ValueError("SamModel takes either pixel_values or image_embeddings: give one of the two")
    if points is not None and len(points.shape) != 4:
        raise ValueError(f"input_points must be (pictures, prompts, points, 2), not {tuple(points.shape)}")
    if boxes is not None and len(boxes.shape) != 3:
        raise ValueError(f"input_boxes must be (pictures, prompts, 4), not {tuple(boxes.shape)}")
    if points is not None and boxes is not None:
        prompts = points.shape[1], boxes.shape[1]
        if sizes_are_known(*prompts) and prompts[0] != prompts[1]:
            raise ValueError(f"input_points have {prompts[0]} prompts, input_boxes {prompts[1]}: give as many of each")

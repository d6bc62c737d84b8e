"""DPT: dense predictions, of depth or of classes, from the maps of several blocks of a ViT (arXiv:2103.13413).

Shapes: B batch, h and w the height and width of a picture or map, P the side of a patch, T tokens (h / P * w / P and
one), D width, C channels.
"""

from dataclasses import dataclass, field

from keras import ops
from keras.layers import Conv2D, Conv2DTranspose, Dense, Dropout, Identity

from keras_tfm.layers.activations import activation
from keras_tfm.layers.backbones import make_backbone
from keras_tfm.layers.base import Layer, Model, build_unused, run_blocks
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.convolutions import BatchNorm, ConvNorm, Convolution
from keras_tfm.layers.heads import respond
from keras_tfm.layers.image_heads import AuxiliarySegmentation
from keras_tfm.layers.images import channels_first, channels_last, flatten, resize, unflatten
from keras_tfm.layers.vision import ImageEmbeddings, VisionEncoder

BIT = {
    "model_type": "bit",
    "global_padding": "same",
    "layer_type": "bottleneck",
    "depths": [3, 4, 9],
    "out_features": ["stage1", "stage2", "stage3"],
    "embedding_dynamic_padding": True,
}


@dataclass(kw_only=True)
class DPTConfig(CompositeConfig):
    model_type = "dpt"
    parts = ("backbone_config",)

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int = 384
    patch_size: int = 16
    num_channels: int = 3
    is_hybrid: bool = False
    qkv_bias: bool = True
    backbone_out_indices: list = field(default_factory=lambda: [2, 5, 8, 11])
    readout_type: str = "project"
    reassemble_factors: list = field(default_factory=lambda: [4, 2, 1, 0.5])
    neck_hidden_sizes: list = field(default_factory=lambda: [96, 192, 384, 768])
    fusion_hidden_size: int = 256
    head_in_index: int = -1
    use_batch_norm_in_fusion_residual: bool = False
    use_bias_in_fusion_residual: bool | None = None
    add_projection: bool = False
    use_auxiliary_head: bool = True
    auxiliary_loss_weight: float = 0.4
    semantic_loss_ignore_index: int = 255
    semantic_classifier_dropout: float = 0.1
    backbone_featmap_shape: list | None = field(default_factory=lambda: [1, 1024, 24, 24])
    neck_ignore_stages: list = field(default_factory=lambda: [0, 1])
    backbone_config: Config | dict | None = None
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict | None = None

    def default_part(self, part):
        return BIT if self.is_hybrid else None

    def __post_init__(self):
        super().__post_init__()
        if self.backbone is not None:
            raise ValueError(f"backbone {self.backbone!r} is only a name: give its configuration as backbone_config")
        if self.readout_type not in (["project"] if self.is_hybrid else ["ignore", "add", "project"]):
            raise ValueError(
                f"readout_type must be 'project' or, unless is_hybrid, 'ignore' or 'add', not {self.readout_type!r}"
            )
        if not self.is_hybrid:
            self.backbone_featmap_shape, self.neck_ignore_stages = None, []

    @property
    def extracts(self):
        """Whether another architecture's backbone takes the place of the encoder."""
        return self.backbone_config is not None and not self.is_hybrid


class DPTEmbeddings(ImageEmbeddings):
    any_size = True

    def resized_positions(self, size, grid):
        positions = self.positions()
        patches = resize(unflatten(positions[:, 1:], *self.grid), grid)
        return ops.concatenate([positions[:, :1], flatten(patches)], axis=1)


class DPTHybridEmbeddings(DPTEmbeddings):
    """The pixels of a backbone's last map as tokens, behind the token `cls_token`, with positions."""

    def __init__(self, c, **kwargs):
        super().__init__(c, **kwargs)
        self.extractor = make_backbone(c.backbone_config)
        self.patches = Conv2D(c.hidden_size, 1)

    def call(self, pixel_values):
        """pixel_values (B, 3, h, w) -> (B, T, D) and the backbone's first two maps, (B, C, h, w) each."""
        maps = self.extractor({"pixel_values": pixel_values})["feature_maps"]
        x = self.patches(channels_last(maps[-1]))
        grid = ops.shape(x)[1:3]
        token = ops.broadcast_to(self.leading("cls_token"), (ops.shape(x)[0], 1, self.width))
        return ops.concatenate([token, flatten(x)], axis=1) + self.resized_positions(None, grid), maps[:2]


class DPTModel(VisionEncoder):
    """The encoder, with a tanh layer (`pooler`) on the first token. Pictures may be of any size.

    A hybrid one sees the last map of a backbone in the picture's place, and returns the first two as
    intermediate_activations, (B, C, h, w) each.
    """

    config_class = DPTConfig
    optional = ()

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        if self.config.extracts:
            raise ValueError(
                f"{self.config.backbone_config.model_type} takes the place of the encoder: there is no DPTModel then, "
                "load it with keras_tfm.AutoBackbone, or depth estimation as a whole"
            )

    def make_embeddings(self, mask_token):
        return DPTHybridEmbeddings(self.config) if self.config.is_hybrid else DPTEmbeddings(self.config)

    def encode(self, inputs, interpolate_pos_encoding=True, output_hidden_states=None, output_attentions=None):
        x, maps = self.embeddings(inputs["pixel_values"]), {}
        if self.config.is_hybrid:
            x, maps["intermediate_activations"] = x
        x, states = run_blocks(self.blocks, x, self.config, None, output_hidden_states, output_attentions)
        return x, states | maps


class Reassemble(Layer):
    """The tokens of a block as a map.

    Args:
        channels: C of the map.
        factor: how much larger its sides are than the grid of patches.
        readout: what happens to the first token: "ignore", "add" it to the others, or let a dense layer with the
            activation `act` see it beside each of them ("project").
        width: D.
    """

    def __init__(self, channels, factor, readout="ignore", width=None, act=None, **kwargs):
        super().__init__(**kwargs)
        self.adds = readout == "add"
        self.readout = Dense(width, activation=activation(act)) if readout == "project" else None
        self.project = Conv2D(channels, 1)
        if factor > 1:
            self.resize = Conv2DTranspose(channels, int(factor), int(factor))
        else:
            self.resize = Convolution(channels, 3, strides=int(1 / factor)) if factor < 1 else Identity()

    def call(self, x, grid):
        """x (B, T, D) of a grid (h, w) of patches -> (B, factor * h, factor * w, C)."""
        first, x = x[:, :1], x[:, 1:]
        if self.adds:
            x = x + first
        if self.readout is not None:
            x = self.readout(ops.concatenate([x, ops.broadcast_to(first, ops.shape(x))], axis=-1))
        return self.resize(self.project(unflatten(x, *grid)))


class ResidualConvolutions(Layer):
    """Two convolutions behind ReLUs, and what came in added."""

    def __init__(self, channels, bias=True, batch_norm=False, **kwargs):
        super().__init__(**kwargs)
        self.convolutions = [Convolution(channels, 3, use_bias=bias) for _ in range(2)]
        self.norms = [BatchNorm() if batch_norm else Identity() for _ in range(2)]

    def call(self, maps):
        y = maps
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = norm(convolution(ops.relu(y)))
        return maps + y


class FusionBlock(Layer):
    """Adds a finer map to a coarse one, and makes that larger."""

    def __init__(self, channels, **options):
        super().__init__()
        self.skip, self.residual = (ResidualConvolutions(channels, **options) for _ in range(2))
        self.project = Conv2D(channels, 1)

    def call(self, maps, finer=None, size=None):
        """maps and, but for the coarsest, what to add, (B, h, w, C) -> (B, *size, C), twice as large by default."""
        height, width = ops.shape(maps)[1:3]
        if finer is None:
            build_unused(self.skip, maps)
        else:
            maps = maps + self.skip(resize(finer, (height, width)))
        maps = resize(self.residual(maps), size or (2 * height, 2 * width), align_corners=True)
        return self.project(maps)


class DPTNeck(Layer):
    """Maps of several blocks, fused from the coarsest to the finest.

    Args:
        c: the configuration: neck_hidden_sizes, fusion_hidden_size.
        reassemble: what makes a map of each block's tokens, or an Identity; None where all of them are maps.
        follows: whether a fused map becomes as large as the next one; else, twice as large as it was.
        **options: of `ResidualConvolutions`.
    """

    def __init__(self, c, reassemble, follows=False, **options):
        super().__init__()
        self.reassemble, self.follows = reassemble, follows
        self.convolutions = [Convolution(c.fusion_hidden_size, 3, use_bias=False) for _ in c.neck_hidden_sizes]
        self.fusion = [FusionBlock(c.fusion_hidden_size, **options) for _ in c.neck_hidden_sizes]

    def call(self, states, grid=None):
        """Tokens (B, T, D) of a grid (h, w) of patches, or maps (B, C, h, w), of several blocks -> as many fused maps
        (B, h, w, C), the coarsest first."""
        maps = [channels_last(x) if len(x.shape) == 4 else x for x in states]
        if self.reassemble is not None:
            pairs = zip(maps, self.reassemble, strict=True)
            maps = [x if isinstance(layer, Identity) else layer(x, grid=grid) for x, layer in pairs]
        maps = [convolution(x) for convolution, x in zip(self.convolutions, maps, strict=True)][::-1]
        following = [ops.shape(x)[1:3] for x in maps[1:]] if self.follows else [None] * (len(maps) - 1)
        x, fused = maps[0], []
        for block, finer, size in zip(self.fusion, [None, *maps[1:]], [*following, None], strict=True):
            x = block(x, finer=finer, size=size)
            fused.append(x)
        return fused


def make_neck(c):
    """DPT's neck, as its configuration says."""
    reassemble, batch_norm = None, c.use_batch_norm_in_fusion_residual
    bias = not batch_norm if c.use_bias_in_fusion_residual is None else c.use_bias_in_fusion_residual
    if not (c.extracts and c.backbone_config.model_type == "swinv2"):
        width = (c.backbone_config if c.extracts else c).hidden_size
        reassemble = [
            Identity()
            if i in c.neck_ignore_stages
            else Reassemble(channels, factor, c.readout_type, width, c.hidden_act)
            for i, (channels, factor) in enumerate(zip(c.neck_hidden_sizes, c.reassemble_factors, strict=False))
        ]
    return DPTNeck(c, reassemble, bias=bias, batch_norm=batch_norm)


def blocks_seen(outputs, config):
    """What the neck sees of DPTModel's outputs: the tokens of some blocks, and a hybrid's first maps before them."""
    maps = outputs.get("intermediate_activations", ())
    chosen = config.backbone_out_indices[2:] if config.is_hybrid else config.backbone_out_indices
    return [*maps, *(x for i, x in enumerate(outputs["hidden_states"][1:]) if i in chosen)]


def patch_grid(pixel_values, patch_size, fills=False):
    """The rows and columns of patches of pictures (B, 3, h, w); `fills`: with those that are cut at the border."""
    return tuple(-(-size // patch_size) if fills else size // patch_size for size in ops.shape(pixel_values)[2:])


def without_hidden_states(outputs, config, output_hidden_states):
    """The outputs; without hidden states where only the neck needed them."""
    asked = config.output_hidden_states if output_hidden_states is None else output_hidden_states
    return outputs if asked else {k: v for k, v in outputs.items() if k != "hidden_states"}


class DepthHead(Layer):
    """Three convolutions, with a resize behind the first.

    Args:
        channels: C of the map.
        hidden: channels of the second convolution.
        project: whether another convolution comes before.
    """

    def __init__(self, channels, hidden=32, project=False, **kwargs):
        super().__init__(**kwargs)
        self.project = Convolution(channels, 3, activation="relu") if project else None
        self.convolutions = [
            Convolution(channels // 2, 3),
            Convolution(hidden, 3, activation="relu"),
            Conv2D(1, 1, activation="relu"),
        ]

    def call(self, maps, size=None):
        """maps (B, h, w, C) -> (B, *size), twice as large by default."""
        x = maps if self.project is None else self.project(maps)
        first, second, third = self.convolutions
        height, width = ops.shape(x)[1:3]
        x = resize(first(x), size or (2 * height, 2 * width), align_corners=True)
        return third(second(x))[..., 0]


class DPTForDepthEstimation(Model):
    """Estimates how near what a picture shows is: predicted_depth (B, h, w).

    A backbone of another architecture may take the place of DPT's encoder.
    """

    config_class = DPTConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        if c.extracts:
            self.extractor = make_backbone(c.backbone_config)
        else:
            self.backbone = DPTModel(c, pooler=False)
            self.backbone.norm.trainable = False  # nobody reads what it returns here
        self.neck = make_neck(c)
        self.head = DepthHead(c.fusion_hidden_size, project=c.add_projection)

    def signature(self):
        return (self.extractor if self.config.extracts else self.backbone).signature()

    def building_signature(self):
        return (self.extractor if self.config.extracts else self.backbone).building_signature()

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs -> predicted_depth (B, h, w) and what else is asked for."""
        c = self.config
        if c.extracts:
            asked = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
            outputs = self.extractor(inputs, training=training, **asked)
            states, patch_size = outputs["feature_maps"], c.backbone_config.patch_size
        else:
            outputs = self.backbone(
                inputs, output_hidden_states=True, output_attentions=output_attentions, training=training
            )
            states, patch_size = blocks_seen(outputs, c), c.patch_size
        maps = self.neck(states, grid=patch_grid(inputs["pixel_values"], patch_size, fills=c.is_hybrid))
        depth = self.head(maps[c.head_in_index])
        return respond({"predicted_depth": depth}, without_hidden_states(outputs, c, output_hidden_states))


class PixelClassifier(Layer):
    """A convolution, and a class for each pixel: (B, h, w, C) -> (B, h, w, labels)."""

    def __init__(self, channels, labels, dropout, **kwargs):
        super().__init__(**kwargs)
        self.convolution = ConvNorm(channels, 3, "relu")
        self.dropout = Dropout(dropout)
        self.project = Conv2D(labels, 1)

    def call(self, maps):
        return self.project(self.dropout(self.convolution(maps)))


class DPTForSemanticSegmentation(AuxiliarySegmentation):
    backbone_class = DPTModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.backbone.norm.trainable = False  # nobody reads what it returns here
        self.neck = make_neck(c)
        self.head = PixelClassifier(c.fusion_hidden_size, c.num_labels, c.semantic_classifier_dropout)
        self.auxiliary_head = PixelClassifier(c.fusion_hidden_size, c.num_labels, 0.1) if c.use_auxiliary_head else None

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs -> logits (B, labels, h', w') and auxiliary_logits, half as large, and what else is asked for."""
        c = self.config
        outputs = self.backbone(
            inputs, output_hidden_states=True, output_attentions=output_attentions, training=training
        )
        grid = patch_grid(inputs["pixel_values"], c.patch_size, fills=c.is_hybrid)
        maps = self.neck(blocks_seen(outputs, c), grid=grid)
        logits = self.head(maps[c.head_in_index])
        height, width = ops.shape(logits)[1:3]
        logits = {"logits": channels_first(resize(logits, (2 * height, 2 * width), align_corners=True))}
        if self.auxiliary_head is not None:
            logits["auxiliary_logits"] = channels_first(self.auxiliary_head(maps[-1]))
        return respond(logits, without_hidden_states(outputs, c, output_hidden_states))

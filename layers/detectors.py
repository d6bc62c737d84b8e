"""What detectors of DETR's family see (arXiv:2005.12872): a backbone's maps, which of their pixels are real, and where
these are.

Shapes: B batch, h and w the height and width of a picture or map, C channels, D width.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Embedding

from keras_tfm.layers.backbones import make_backbone
from keras_tfm.layers.base import Layer
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.images import resize
from keras_tfm.layers.positions import map_waves
from keras_tfm.runtime.tracing import sizes_are_known


@dataclass(kw_only=True)
class DetectorConfig(CompositeConfig):
    """What the configurations of all these detectors have. The backbone is the one that timm calls `backbone`, with
    `dilation` at twice the resolution; or, where there is a `backbone_config` or `use_timm_backbone` is False, any
    architecture's.
    """

    parts = ("backbone_config",)
    synonyms = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "initializer_range": "init_std",
    }

    use_timm_backbone: bool = True
    backbone_config: Config | dict | None = None
    num_channels: int = 3
    d_model: int = 256
    encoder_attention_heads: int = 8
    encoder_layers: int = 6
    num_hidden_layers: int | None = None  # `encoder_layers`, under the name that all know
    init_std: float = 0.02
    init_xavier_std: float = 1.0
    is_encoder_decoder: bool = True
    auxiliary_loss: bool = False
    position_embedding_type: str = "sine"
    backbone: str | None = "resnet50"
    use_pretrained_backbone: bool | None = True  # of no effect here
    backbone_kwargs: dict | None = None
    dilation: bool | None = False

    def __post_init__(self):
        self.use_timm_backbone = self.use_timm_backbone and self.backbone_config is None
        if not self.use_timm_backbone:  # as the reference has it
            self.backbone = self.use_pretrained_backbone = self.dilation = None
        super().__post_init__()
        self.initializer_range, self.num_hidden_layers = self.init_std, self.encoder_layers
        if self.position_embedding_type not in ("sine", "learned"):
            raise ValueError(
                f"position_embedding_type must be 'sine' or 'learned', not {self.position_embedding_type!r}"
            )

    def default_part(self, part):
        return None if self.use_timm_backbone else {"model_type": "resnet", "out_features": ["stage4"]}


def make_extractor(config, stages=(1, 2, 3, 4)):
    """The backbone of a detector, frozen as far as DETR's is (see its method `freeze`); for training from the start,
    there is `unfreeze`.

    Args:
        config: a `DetectorConfig`.
        stages: the places of those whose maps a backbone of timm's hands out.
    """
    from keras_tfm.auto import config_class_of

    found = config.backbone_config
    if found is None:
        timm = {"model_type": "timm_backbone", "backbone": config.backbone, "num_channels": config.num_channels}
        timm |= {"output_stride": 16 if config.dilation else 32, "out_indices": stages}
        found = config_class_of(timm, "the backbone").from_dict(timm)
    extractor = make_backbone(found)
    extractor.begins_frozen = True
    return extractor


def real_pixels(pixel_mask, maps):
    """Which pixels of maps (B, h', w', C) are those of a picture: bool (B, h', w').

    Args:
        pixel_mask: (B, h, w), 0 for padding; None where all are real.

    Raises:
        ValueError: a mask of another rank.
    """
    batch, *size = ops.shape(maps)[:3]
    if pixel_mask is None:
        return ops.ones((batch, *size), "bool")
    if len(pixel_mask.shape) != 3:
        raise ValueError(f"pixel_mask must be (batch, height, width), not {tuple(pixel_mask.shape)}")
    return resize(ops.cast(pixel_mask, "float32")[..., None], size, "nearest")[..., 0] > 0


class LearnedPlaces(Layer):
    """A row of a table for each column, and one for each row of pixels.

    Args:
        width: D, half of it for the column.
    """

    count = 50  # rows of each table

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.columns, self.rows = (Embedding(self.count, width // 2) for _ in range(2))

    def call(self, real):
        """real (B, h, w) -> (B, h, w, D).

        Raises:
            ValueError: there are more pixels than rows.
        """
        height, width = ops.shape(real)[1:]
        if sizes_are_known(height, width) and max(height, width) > self.count:
            raise ValueError(
                f"learned positions reach to {self.count} pixels of the backbone's map, which is {height} x {width}: "
                "make the picture smaller"
            )
        x, y = self.columns(ops.arange(width))[None], self.rows(ops.arange(height))[:, None]
        places = [ops.broadcast_to(each, (height, width, each.shape[-1])) for each in (x, y)]
        places = ops.concatenate(places, axis=-1)
        return ops.broadcast_to(places, (ops.shape(real)[0], *ops.shape(places)))


class Waves(Layer):
    """See `map_waves`.

    Args:
        width: D.
        shift: see there.
    """

    def __init__(self, width, shift=0.0, **kwargs):
        super().__init__(**kwargs)
        self.width, self.shift = width, shift

    def call(self, real):
        """real (B, h, w) -> (B, h, w, D)."""
        return ops.cast(map_waves(real, self.width, self.shift), self.compute_dtype)


def make_places(config, shift=0.0):
    """The layer that says where pixels are, as the configuration wants it: real (B, h, w) -> (B, h, w, D)."""
    if config.position_embedding_type == "learned":
        return LearnedPlaces(config.d_model)
    return Waves(config.d_model, shift)

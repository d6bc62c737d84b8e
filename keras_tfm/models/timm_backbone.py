"""The backbones that timm calls resnet18 to resnet152, with their tensors' names there (arXiv:1512.03385).

Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

from dataclasses import dataclass, field

from keras_tfm.layers.backbones import BackboneConfig, run_stages
from keras_tfm.layers.convolutions import BatchNorm, FrozenBatchNorm, max_pool
from keras_tfm.layers.images import channels_last
from keras_tfm.models.resnet import ResNetBackbone

RESNETS = {  # name: its blocks, and how many of them there are in each stage
    "resnet18": ("basic", [2, 2, 2, 2]),
    "resnet34": ("basic", [3, 4, 6, 3]),
    "resnet50": ("bottleneck", [3, 4, 6, 3]),
    "resnet101": ("bottleneck", [3, 4, 23, 3]),
    "resnet152": ("bottleneck", [3, 8, 36, 3]),
}


@dataclass(kw_only=True)
class TimmBackboneConfig(BackboneConfig):
    """Of the fields, `output_stride` is none of Transformers': how much smaller than the picture maps become at most.
    Where 16 or 8, later stages look at pixels that lie further apart instead.

    Raises:
        ValueError: an unknown `backbone`, or an `output_stride` that is not 8, 16 or 32.
    """

    model_type = "timm_backbone"

    backbone: str | None = None
    num_channels: int = 3
    features_only: bool = True
    use_pretrained_backbone: bool = True
    use_timm_backbone: bool = True
    freeze_batch_norm_2d: bool = False
    output_stride: int = 32
    out_indices: list | None = field(default_factory=lambda: [-1])

    embedding_size, hidden_act, downsample_in_bottleneck = 64, "relu", False  # of all ResNets

    def __post_init__(self):
        if self.backbone not in RESNETS:
            raise ValueError(
                f"backbone must be one of {', '.join(RESNETS)}, not {self.backbone!r}: timm's others are unknown here"
            )
        if self.output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride must be 8, 16 or 32, not {self.output_stride!r}")
        super().__post_init__()

    @property
    def layer_type(self):
        return RESNETS[self.backbone][0]

    @property
    def depths(self):
        return RESNETS[self.backbone][1]

    @property
    def hidden_sizes(self):
        return [width * (1 if self.layer_type == "basic" else 4) for width in (64, 128, 256, 512)]

    def stages(self):
        return len(self.depths)

    def to_dict(self):  # the reference takes places alone, not names
        return {name: x for name, x in super().to_dict().items() if name not in ("out_features", "stage_names")}


class TimmBackbone(ResNetBackbone):
    """As `ResNetBackbone`, but that the stem's map is the one before pooling, (B, 64, h / 2, w / 2)."""

    config_class = TimmBackboneConfig

    @property
    def norm(self):
        return FrozenBatchNorm if self.config.freeze_batch_norm_2d else BatchNorm

    def steps(self, index):
        strides = [4 << max(0, i) for i in (index - 1, index)]  # of the stages, without dilation
        before, now = (max(1, stride // self.config.output_stride) for stride in strides)
        return 2 if index > 0 and now == 1 else 1, (before, now)

    def maps(self, inputs):
        stem = self.embeddings(channels_last(inputs["pixel_values"], self.config.num_channels))
        return [stem, *run_stages(self.stages, max_pool(stem, 3, 2, border=1))[1:]]

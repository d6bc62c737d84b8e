"""Depth Anything: DPT's neck on DINOv2, for depth (arXiv:2401.10891).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch.
"""

from dataclasses import dataclass, field

from keras_tfm.layers.backbones import make_backbone
from keras_tfm.layers.base import Model
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.heads import respond
from keras_tfm.models.dpt import DepthHead, DPTNeck, Reassemble, patch_grid

DINOV2 = {
    "model_type": "dinov2",
    "image_size": 518,
    "hidden_size": 384,
    "num_attention_heads": 6,
    "out_indices": [9, 10, 11, 12],
    "apply_layernorm": True,
    "reshape_hidden_states": False,
}


@dataclass(kw_only=True)
class DepthAnythingConfig(CompositeConfig):
    model_type = "depth_anything"
    parts = ("backbone_config",)

    backbone_config: Config | dict | None = None
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    patch_size: int = 14
    initializer_range: float = 0.02
    reassemble_hidden_size: int = 384
    reassemble_factors: list = field(default_factory=lambda: [4, 2, 1, 0.5])
    neck_hidden_sizes: list = field(default_factory=lambda: [48, 96, 192, 384])
    fusion_hidden_size: int = 64
    head_in_index: int = -1
    head_hidden_size: int = 32

    def default_part(self, part):
        return DINOV2

    def __post_init__(self):
        super().__post_init__()
        if self.backbone is not None:
            raise ValueError(f"backbone {self.backbone!r} is only a name: give its configuration as backbone_config")


class DepthAnythingForDepthEstimation(Model):
    """Estimates how near what a picture shows is: predicted_depth (B, h, w), rounded down to multiples of P."""

    config_class = DepthAnythingConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.extractor = make_backbone(c.backbone_config)
        sizes = zip(c.neck_hidden_sizes, c.reassemble_factors, strict=True)
        self.neck = DPTNeck(c, [Reassemble(channels, factor) for channels, factor in sizes], follows=True)
        self.head = DepthHead(c.fusion_hidden_size, c.head_hidden_size)

    def signature(self):
        return self.extractor.signature()

    def building_signature(self):
        return self.extractor.building_signature()

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs -> predicted_depth (B, h, w) and what else is asked for."""
        asked = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
        outputs = self.extractor(inputs, training=training, **asked)
        side, grid = self.config.patch_size, patch_grid(inputs["pixel_values"], self.config.patch_size)
        maps = self.neck(outputs["feature_maps"], grid=grid)
        depth = self.head(maps[self.config.head_in_index], size=tuple(n * side for n in grid))
        return respond({"predicted_depth": depth}, outputs)

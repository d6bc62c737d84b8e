"""UPerNet: semantic segmentation by a pyramid of maps, over any backbone (arXiv:1807.10221).

Shapes: B batch, h and w the height and width of a picture, C channels of a map.
"""

from dataclasses import dataclass, field

from keras import ops

from keras_tfm.layers.backbones import make_backbone
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.heads import Head, respond
from keras_tfm.layers.image_heads import AuxiliarySegmentation
from keras_tfm.layers.images import channels_first, channels_last, resize
from keras_tfm.layers.pyramids import ConvolutionHead, PyramidHead

RESNET = {"model_type": "resnet", "out_features": ["stage1", "stage2", "stage3", "stage4"]}


@dataclass(kw_only=True)
class UperNetConfig(CompositeConfig):
    model_type = "upernet"
    parts = ("backbone_config",)
    synonyms = {"semantic_loss_ignore_index": "loss_ignore_index"}

    backbone_config: Config | dict | None = None
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict | None = None
    hidden_size: int = 512
    initializer_range: float = 0.02
    pool_scales: list = field(default_factory=lambda: [1, 2, 3, 6])
    use_auxiliary_head: bool = True
    auxiliary_loss_weight: float = 0.4
    auxiliary_in_channels: int = 384
    auxiliary_channels: int = 256
    auxiliary_num_convs: int = 1
    auxiliary_concat_input: bool = False
    loss_ignore_index: int = 255

    def default_part(self, part):
        return RESNET

    def __post_init__(self):
        super().__post_init__()
        if self.backbone is not None:
            raise ValueError(f"backbone {self.backbone!r} is only a name: give its configuration as backbone_config")


class UperNetForSemanticSegmentation(AuxiliarySegmentation):
    """Gives every pixel a class: logits (B, labels, h, w). With `use_auxiliary_head` there are auxiliary_logits of the
    same shape besides, from the third of the backbone's maps.

    Raises:
        ValueError: the third map has not as many channels as `auxiliary_in_channels` says.
    """

    config_class = UperNetConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}
    auxiliary_index = 2

    def __init__(self, config, **kwargs):
        super(Head, self).__init__(config, **kwargs)  # which has a backbone of one architecture
        c = self.config
        self.extractor = make_backbone(c.backbone_config)
        channels = self.extractor.out_channels
        self.head = PyramidHead(len(channels), c.hidden_size, c.num_labels, c.pool_scales)
        self.auxiliary_head = None
        if c.use_auxiliary_head:
            if channels[self.auxiliary_index :][:1] != [c.auxiliary_in_channels]:
                raise ValueError(
                    f"auxiliary_in_channels is {c.auxiliary_in_channels}, the backbone's maps have {channels}: it must "
                    "be what the third has, or use_auxiliary_head False"
                )
            self.auxiliary_head = ConvolutionHead(
                c.auxiliary_channels, c.num_labels, c.auxiliary_num_convs, c.auxiliary_concat_input
            )

    def signature(self):
        return self.extractor.signature()

    def building_signature(self):
        return self.extractor.building_signature()

    def call(self, inputs, training=None, **options):
        """inputs -> logits (B, labels, h, w), and what else is asked for; options as of the backbone."""
        outputs = self.extractor(inputs, training=training, **options)
        maps, size = [channels_last(x) for x in outputs["feature_maps"]], ops.shape(inputs["pixel_values"])[2:]
        predictions = {"logits": channels_first(resize(self.head(maps), size))}
        if self.auxiliary_head is not None:
            logits = self.auxiliary_head(maps[self.auxiliary_index])
            predictions["auxiliary_logits"] = channels_first(resize(logits, size))
        return respond(predictions, outputs)

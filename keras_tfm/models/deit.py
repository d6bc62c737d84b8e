"""DeiT: ViT with a second token in front, which learned from another model (arXiv:2012.12877).

Shapes: B batch, h and w the height and width of a picture, P the side of a patch, T tokens (h / P * w / P and two), D
width.
"""

from dataclasses import dataclass

from keras_tfm.layers.image_heads import ImageClassification, ImageClassificationWithTeacher, MaskedImageModeling
from keras_tfm.layers.images import unflatten
from keras_tfm.layers.vision import ImageEmbeddings
from keras_tfm.models.vit import ViTConfig, ViTModel


@dataclass(kw_only=True)
class DeiTConfig(ViTConfig):
    model_type = "deit"


class DeiTModel(ViTModel):
    """As `ViTModel`."""

    config_class = DeiTConfig

    def make_embeddings(self, mask_token):
        return ImageEmbeddings(self.config, ("cls_token", "distillation_token"), mask_token)


class DeiTForImageClassification(ImageClassification):
    backbone_class = DeiTModel


class DeiTForImageClassificationWithTeacher(ImageClassificationWithTeacher):
    backbone_class = DeiTModel


class DeiTForMaskedImageModeling(MaskedImageModeling):
    """Paints hidden patches. As in the reference, each is painted where the next one lies, the first at the
    distillation token."""

    backbone_class = DeiTModel

    def patch_maps(self, outputs):
        return unflatten(outputs["last_hidden_state"][:, 1:-1], *self.backbone.embeddings.grid)

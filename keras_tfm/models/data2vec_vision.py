"""Data2Vec for pictures: BEiT's encoder, trained to tell what hidden patches mean to another (arXiv:2202.03555).

Shapes: see BEiT.
"""

from dataclasses import dataclass, field

from keras_tfm.layers.image_heads import PooledImageClassification
from keras_tfm.models.beit import BeitForSemanticSegmentation, BeitModel, EncoderConfig


@dataclass(kw_only=True)
class Data2VecVisionConfig(EncoderConfig):
    model_type = "data2vec-vision"

    out_indices: list = field(default_factory=lambda: [3, 5, 7, 11])


class Data2VecVisionModel(BeitModel):
    """As `BeitModel`; on its own without a pooler, unless it is told to have one."""

    config_class = Data2VecVisionConfig

    def __init__(self, config, pooler=False, mask_token=False, **kwargs):
        super().__init__(config, pooler, mask_token, **kwargs)


class Data2VecVisionForImageClassification(PooledImageClassification):
    backbone_class = Data2VecVisionModel


class Data2VecVisionForSemanticSegmentation(BeitForSemanticSegmentation):
    backbone_class = Data2VecVisionModel

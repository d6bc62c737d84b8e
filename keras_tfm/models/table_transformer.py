"""Table Transformer: DETR with the norms before the layers, which finds tables and their parts (arXiv:2110.00061).

Shapes: B batch, Q queries.
"""

from dataclasses import dataclass

from keras_tfm.models.detr import DetrConfig, DetrForObjectDetection, DetrModel


@dataclass(kw_only=True)
class TableTransformerConfig(DetrConfig):
    model_type = "table-transformer"


class TableTransformerModel(DetrModel):
    """As `DetrModel`; there is one more norm, behind the encoder."""

    config_class = TableTransformerConfig
    norms_first = True


class TableTransformerForObjectDetection(DetrForObjectDetection):
    backbone_class = TableTransformerModel

"""DeiT's checkpoints."""

from keras_tfm.presets import vit
from keras_tfm.presets.io.translate import Names

HEADS = vit.HEADS | {"WithTeacher": {"head": "cls_classifier", "distillation_head": "distillation_classifier"}}
NAMES = Names(vit.ROWS, prefix="deit", heads=HEADS, optional=["pooler", "embeddings.mask_token"])

"""YOLOS's checkpoints."""

from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.vit import ROWS

HEAD = {"{classes,boxes}.dense.{n}": "{class_labels_classifier,bbox_predictor}.layers.{n}"}
NAMES = Names(ROWS | {"positions": "encoder"}, prefix="vit", heads={"ForObjectDetection": HEAD}, optional=["pooler"])

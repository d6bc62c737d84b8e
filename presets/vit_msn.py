"""ViT-MSN's checkpoints."""

from keras_tfm.presets import vit
from keras_tfm.presets.io.translate import Names

NAMES = Names(vit.ROWS, prefix="vit", heads=vit.HEADS)

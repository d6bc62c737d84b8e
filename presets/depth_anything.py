"""Depth Anything's checkpoints."""

from keras_tfm.presets.dpt import NECK
from keras_tfm.presets.io.translate import Names

NAMES = Names(NECK | {"head.convolutions.{0,1,2}": "head.conv{1,2,3}"}, parts={"extractor": "backbone"})

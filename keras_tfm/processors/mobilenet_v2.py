"""MobileNetV2's image processor."""

from keras_tfm.processors.base import ImageProcessor
from keras_tfm.processors.segmentation import SemanticSegmentation


class MobileNetV2ImageProcessor(SemanticSegmentation, ImageProcessor):
    """Resizes the shorter side to 256, crops the middle 224 x 224 and normalises to -1..1."""

    defaults = ImageProcessor.defaults | {
        "size": {"shortest_edge": 256},
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    }
    steps = ("resize", "center_crop", "rescale", "normalize")

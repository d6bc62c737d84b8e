"""DeiT's image processor."""

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor


class DeiTImageProcessor(ImageProcessor):
    """Resizes to 256 x 256, crops the middle 224 x 224 and normalises to -1..1."""

    defaults = ImageProcessor.defaults | {
        "size": {"height": 256, "width": 256},
        "resample": transforms.BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    }
    steps = ("resize", "center_crop", "rescale", "normalize")

"""DPT's image processor, which Depth Anything uses too."""

import math

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor
from keras_tfm.processors.segmentation import SemanticSegmentation


class DPTImageProcessor(SemanticSegmentation, ImageProcessor):
    """Resizes to 384 x 384 and normalises to -1..1.

    keep_aspect_ratio: scale both sides by that of the two factors that is nearer to 1.
    ensure_multiple_of: round the sides to multiples of this.
    do_pad, size_divisor: add zeros on all sides until they are multiples of this.
    """

    defaults = ImageProcessor.defaults | {
        "size": {"height": 384, "width": 384},
        "resample": transforms.BICUBIC,
        "keep_aspect_ratio": False,
        "ensure_multiple_of": 1,
        "do_pad": False,
        "size_divisor": None,
    }
    steps = ("resize", "rescale", "normalize", "pad")

    def _target_size(self, height, width, options):
        new = super()._target_size(height, width, options)
        by_height, by_width = new[0] / height, new[1] / width
        if options.keep_aspect_ratio:
            by_height = by_width = by_width if abs(1 - by_width) < abs(1 - by_height) else by_height
        multiple = options.ensure_multiple_of
        return tuple(round(side / multiple) * multiple for side in (by_height * height, by_width * width))

    def _pad(self, image, options):
        if options.size_divisor is None:
            raise ValueError("do_pad needs size_divisor, the number that the sides shall be multiples of")
        old = image.shape[:2]
        new = [math.ceil(side / options.size_divisor) * options.size_divisor for side in old]
        return transforms.pad(image, *new, *((after - before) // 2 for before, after in zip(old, new, strict=True)))

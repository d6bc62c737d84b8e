"""EfficientNet's image processor, which ALIGN uses too."""

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor


class EfficientNetImageProcessor(ImageProcessor):
    """Resizes to 346 x 346 without a filter, and normalises to -1..1.

    rescale_offset: subtract 1 after rescaling. include_top: divide by `image_std` once more, as the checkpoints with a
    classification head expect.
    """

    defaults = ImageProcessor.defaults | {
        "size": {"height": 346, "width": 346},
        "resample": transforms.NEAREST,
        "do_center_crop": False,
        "crop_size": {"height": 289, "width": 289},
        "rescale_offset": False,
        "include_top": True,
    }
    steps = ("resize", "center_crop", "rescale", "normalize")

    def _rescale(self, image, options):
        image = super()._rescale(image, options)
        return image - 1 if options.rescale_offset else image

    def _prepared(self, image, options, steps=None):
        image = super()._prepared(image, options, steps)
        return transforms.normalize(image, 0, options.image_std) if options.include_top else image

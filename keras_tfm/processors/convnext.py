"""ConvNeXt's image processor, which ConvNeXtV2, CvT, RegNet, ResNet and VAN use too."""

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor

FULL = 384  # from this size on nothing is cropped


class ConvNextImageProcessor(ImageProcessor):
    """Makes squares of size["shortest_edge"] and normalises to -1..1.

    crop_pct: below 384 the square is this part of the resized picture's shorter side; from there on the picture is
    squeezed into it.
    """

    defaults = ImageProcessor.defaults | {"size": {"shortest_edge": FULL}, "crop_pct": 224 / 256}

    def _resize(self, image, options):
        if "shortest_edge" not in options.size:
            raise ValueError(f"size must have shortest_edge: got {options.size}")
        edge = options.size["shortest_edge"]
        if edge >= FULL:
            return transforms.resize(image, (edge, edge), options.resample)
        size = transforms.shortest_edge(*image.shape[:2], int(edge / options.crop_pct))
        return transforms.center_crop(transforms.resize(image, size, options.resample), (edge, edge))

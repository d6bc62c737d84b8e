"""PoolFormer's image processor."""

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor


class PoolFormerImageProcessor(ImageProcessor):
    """Resizes the shorter side to 224 / crop_pct, crops the middle 224 x 224 and normalises as for ImageNet.

    crop_pct: the part of the resized picture that is kept; None resizes to `size` itself.
    """

    defaults = ImageProcessor.defaults | {
        "size": {"shortest_edge": 224},
        "crop_pct": 0.9,
        "resample": transforms.BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "image_mean": transforms.IMAGENET_MEAN,
        "image_std": transforms.IMAGENET_STD,
    }
    may_be_none = ("crop_pct",)
    steps = ("resize", "center_crop", "rescale", "normalize")

    def _target_size(self, height, width, options):
        part, sides = options.crop_pct, [*options.size.values()]
        if part is None or "longest_edge" in options.size:
            return super()._target_size(height, width, options)
        if sides[0] == sides[-1]:
            return transforms.shortest_edge(height, width, int(sides[0] / part))
        return tuple(int(options.size[side] / part) for side in ("height", "width"))

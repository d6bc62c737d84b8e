"""What all image processors share: preprocessor_config.json in, NumPy arrays out.

Shapes: B pictures, h w height and width.
"""

import inspect
import warnings
from types import SimpleNamespace

import numpy as np

from keras_tfm.processors import transforms
from keras_tfm.processors.images import (
    FIRST,
    LAST,
    channel_layout,
    channels_last,
    fits,
    pictures,
    pillow,
    to_array,
)
from keras_tfm.processors.preset import Preprocessor

SIZES = ({"height", "width"}, {"shortest_edge"}, {"shortest_edge", "longest_edge"}, {"longest_edge"})
CALL_ONLY = {"data_format": FIRST, "input_data_format": None, "return_tensors": None}


class ImageProcessor(Preprocessor):
    """Pictures to arrays, in `steps`, each a method `_step(image, options)` over (h, w, C).

    A step `name` is done where the option `do_name` is true. A subclass names its `steps`, the `defaults` of all its
    options, and where its `size` means something else, `_target_size`.

    Options, for the class, for `from_preset` and for a call, each overruling the one before:
        do_resize, size, resample: to {"height", "width"}, or to {"shortest_edge"} in the picture's proportions; a
            number stands for whichever of them the class's default is. `resample` is Pillow's filter.
        do_rescale, rescale_factor: multiply, 1/255 by default.
        do_normalize, image_mean, image_std: subtract and divide, channel by channel.
        do_center_crop, crop_size; do_convert_rgb; do_pad and others: where `defaults` has them.
    Options of a call only:
        data_format: "channels_first" (the default) or "channels_last", of what is returned.
        input_data_format: the same, of arrays passed in; recognised by their 1 or 3 channels otherwise.

    Keys of preprocessor_config.json that are no options are kept in `extra` and saved.
    """

    defaults = {
        "do_resize": True,
        "size": {"height": 224, "width": 224},
        "resample": transforms.BILINEAR,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": transforms.HALF,
        "image_std": transforms.HALF,
    }
    steps = ("resize", "rescale", "normalize")
    kind = "image_processor"
    model_input_names = ("pixel_values",)

    def _checked(self, key, value):
        """The value of an option; where that is a size, as a dict."""
        default = self.defaults.get(key)
        if isinstance(default, list) and np.ndim(value):
            return [float(number) for number in value]
        if key == "resample" and value is not None:
            return int(value)
        if not isinstance(default, dict) or value is None:
            return value
        if isinstance(value, list | tuple) and len(value) == 2:
            value = {"height": value[0], "width": value[1]}
        elif isinstance(value, int | np.integer):
            edges = [edge for edge in default if edge != "longest_edge" or len(default) == 1]
            value = {**default, **dict.fromkeys(edges, int(value))}
        if not isinstance(value, dict) or set(value) not in SIZES:
            raise ValueError(
                f"{key} must be a number, (height, width), or a dict of height and width, of shortest_edge (and "
                f"longest_edge) or of longest_edge, not {value!r}"
            )
        return dict(value)

    def _options(self, given):
        """The options of a call, over those of the configuration."""
        arguments = inspect.signature(self.__call__).parameters.values()
        self._check_options(given, [*CALL_ONLY, *(a.name for a in arguments if a.kind is a.POSITIONAL_OR_KEYWORD)])
        given = {key: value for key, value in self._own_options(given).items() if value is not None}
        values = {**CALL_ONLY, **{key: self._checked(key, getattr(self, key)) for key in self.defaults}}
        values |= {key: self._checked(key, value) for key, value in given.items()}
        if values["return_tensors"] not in (None, "np"):
            raise ValueError("image processors return NumPy arrays, which the models take on every backend")
        for key in ("data_format", "input_data_format"):
            if values[key] not in (FIRST, LAST, CALL_ONLY[key]):
                raise ValueError(f"{key} must be {FIRST!r} or {LAST!r}, not {values[key]!r}")
        return SimpleNamespace(**values)

    def __call__(self, images, **options):
        """Pictures -> {"pixel_values": float32 (B, 3, h, w)}.

        images: a PIL image, an array or tensor (h, w, 3) or (3, h, w), a list of those, or an array (B, ...). EXIF
            orientation is ignored here: `load_image` applies it, and so do the pipelines.

        ValueError for pictures that have no 3 channels, or that come out in different sizes, or for none at all;
        TypeError for what is no picture or for an unknown option.
        """
        options = self._options(options)
        return self._outputs(self._arrays(images, options), options)

    preprocess = __call__

    def _outputs(self, arrays, options):
        """Arrays (h, w, C) -> what a call returns."""
        rows = [self._prepared(array, options) for array in arrays]
        return {"pixel_values": stacked("pixel_values", rows, options.data_format)}

    def _arrays(self, images, options):
        """Pictures -> list of arrays (h, w, C)."""
        arrays, common = [], options.input_data_format  # else what the first array tells, for all that it fits
        for image in pictures(images):
            if isinstance(image, pillow().Image):
                array = to_array(image.convert("RGB") if getattr(options, "do_convert_rgb", False) else image)
                layout = LAST if fits(array, LAST) else None
            else:
                array = to_array(image)
                common = common or channel_layout(array)
                layout = options.input_data_format or (common if fits(array, common) else None)
            arrays.append(channels_last(array, layout))
        return arrays

    def _prepared(self, image, options, steps=None):
        """(h, w, C) through the steps."""
        if options.do_rescale and steps is None and image.dtype != np.uint8 and image.min() >= 0 and image.max() <= 1:
            warnings.warn("the pixels seem to be in 0..1 already: pass do_rescale=False", stacklevel=4)
        for step in self.steps if steps is None else steps:
            if getattr(options, f"do_{step}"):
                image = getattr(self, f"_{step}")(image, options)
        return image

    def _target_size(self, height, width, options):
        """(h, w) that a picture is resized to."""
        size = options.size
        if "height" in size:
            return size["height"], size["width"]
        if "shortest_edge" in size:
            return transforms.shortest_edge(height, width, size["shortest_edge"])
        raise ValueError(f"size must have height and width, or shortest_edge: got {size}")

    def _resize(self, image, options):
        return transforms.resize(image, self._target_size(*image.shape[:2], options), options.resample)

    def _center_crop(self, image, options):
        if "height" not in options.crop_size:
            raise ValueError(f"crop_size must have height and width: got {options.crop_size}")
        return transforms.center_crop(image, (options.crop_size["height"], options.crop_size["width"]))

    def _rescale(self, image, options):
        return transforms.rescale(image, options.rescale_factor)

    def _normalize(self, image, options):
        return transforms.normalize(image, options.image_mean, options.image_std)


def stacked(name, rows, data_format=FIRST):
    """Pictures (h, w, C) -> one float32 array (B, C, h, w), or (B, h, w, C).

    Raises:
        ValueError: their sizes differ.
    """
    same_shape(name, rows)
    rows = [row.transpose(2, 0, 1) if data_format == FIRST else row for row in rows]
    batch = np.empty((len(rows), *rows[0].shape), np.float32)
    for place, row in zip(batch, rows, strict=True):
        place[:] = row
    return batch


def same_shape(name, rows):
    shapes = sorted({row.shape[:2] for row in rows})
    if len(shapes) > 1:
        sizes = ", ".join(f"{height} x {width}" for height, width in shapes)
        raise ValueError(
            f"{name} of one batch must have one size and would have {sizes}: process such pictures one at a time, or "
            "resize or crop them to one height and width"
        )

"""Segmentation: label maps in beside the pictures, and maps of classes and segments out of a model's outputs.

Shapes: B pictures, h w their height and width, K classes, N queries.
"""

from types import SimpleNamespace

import numpy as np

from keras_tfm.processors.base import ImageProcessor, same_shape
from keras_tfm.processors.images import is_array, to_array
from keras_tfm.processors.transforms import NEAREST

IGNORED = 255  # the label of pixels that don't count, in maps of 8 bits


class SemanticSegmentation:
    """Of a processor whose models give logits (B, K, h, w)."""

    def post_process_semantic_segmentation(self, outputs, target_sizes=None):
        """Logits, or a dict of outputs with them -> for each picture the classes, int32 (h, w).

        target_sizes: B sizes (h, w) to resize the logits to; by default they are taken as they are.
        """
        return class_maps(output(outputs, "logits"), target_sizes)


class LabelledProcessor(ImageProcessor):
    """Takes segmentation maps beside the pictures, and does to them what changes the pictures' geometry."""

    geometry = ("resize", "center_crop", "pad")

    def __call__(self, images, segmentation_maps=None, **options):
        """Pictures, and optionally for each a map (h, w) of its labels (an array or a grey or palette PIL image) ->
        {"pixel_values": float32 (B, 3, h, w)} and with maps {"labels": int32 (B, h, w)}. See `ImageProcessor`."""
        options = self._options(options)
        arrays = self._arrays(images, options)
        outputs = self._outputs(arrays, options)
        if segmentation_maps is not None:
            outputs["labels"] = np.stack(self._labels(label_maps(segmentation_maps, len(arrays)), options))
        return outputs

    preprocess = __call__

    def _labels(self, maps, options):
        if getattr(options, "do_reduce_labels", False):
            maps = [reduced(each) for each in maps]
        options = SimpleNamespace(**{**vars(options), **self._map_options(options)})
        steps = [step for step in self.steps if step in self.geometry]
        labels = [self._prepared(each[..., None], options, steps)[..., 0].astype(np.int32) for each in maps]
        same_shape("labels", labels)
        return labels

    def _map_options(self, options):
        """The options that are others for maps."""
        return {"resample": NEAREST}


def label_maps(maps, count):
    """A map, a list of them or an array of several -> a list of `count` arrays (h, w)."""
    if not isinstance(maps, list | tuple):
        maps = list(maps) if is_array(maps) and maps.ndim == 3 else [maps]
    arrays = [to_array(each) for each in maps]
    arrays = [a.reshape([side for side in a.shape if side != 1]) if a.ndim == 3 else a for a in arrays]
    if len(arrays) != count or any(array.ndim != 2 for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"segmentation_maps must be {count} of shape (h, w), one for each picture: got {shapes}")
    return arrays


def reduced(labels):
    """Labels with 0 for the background -> 255 for the background, and the others counted from 0."""
    labels = np.where(labels == 0, IGNORED, labels - 1)
    return np.where(labels == IGNORED - 1, IGNORED, labels)


def output(outputs, name):
    """The output of a model by this name, as a float32 array; a lone tensor is itself."""
    if isinstance(outputs, dict):
        if name not in outputs:
            raise ValueError(f"the model's outputs have no {name!r}, only {', '.join(outputs)}")
        outputs = outputs[name]
    array = to_array(outputs)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def sizes(target_sizes, count):
    """`count` pairs (h, w) of Python integers; None for each where there are none."""
    if target_sizes is None:
        return [None] * count
    pairs = [tuple(int(side) for side in to_array(pair)) for pair in target_sizes]
    if len(pairs) != count or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"target_sizes must be {count} pairs (height, width), one for each picture: got {pairs}")
    return pairs


def class_maps(logits, target_sizes=None):
    """(B, K, h, w) -> for each picture the best classes, int32 (h, w), after resizing to its target size."""
    if logits.ndim != 4:
        raise ValueError(f"logits for segmentation have the shape (B, K, h, w): got {logits.shape}")
    targets = sizes(target_sizes, len(logits))
    rows = [each if size is None else resize_bilinear(each, size) for each, size in zip(logits, targets, strict=True)]
    return [row.argmax(0).astype(np.int32) for row in rows]


def resize_bilinear(maps, size):
    """(..., h, w) -> (..., *size): PyTorch's bilinear interpolation without aligned corners, in float32."""
    maps = maps.astype(np.float32)
    for axis, new in ((-1, size[1]), (-2, size[0])):
        old = maps.shape[axis]
        if old == new:
            continue
        place = np.maximum((np.arange(new, dtype=np.float32) + np.float32(0.5)) * np.float32(old / new) - 0.5, 0)
        low = np.minimum(place.astype(int), old - 1)
        weight = np.minimum(place - low.astype(np.float32), 1).astype(np.float32)
        weight = weight if axis == -1 else weight[:, None]
        high = np.minimum(low + 1, old - 1)
        maps = np.take(maps, low, axis) * (1 - weight) + np.take(maps, high, axis) * weight
    return maps


def resize_nearest(maps, size):
    """(..., h, w) -> (..., *size): PyTorch's choice of the nearest pixel."""
    for axis, new in ((-1, size[1]), (-2, size[0])):
        old = maps.shape[axis]
        step = np.float32(old) / np.float32(new)
        maps = np.take(maps, np.minimum(np.arange(new, dtype=np.float32) * step, old - 1).astype(int), axis)
    return maps


def softmax(logits):
    exponents = np.exp(logits - logits.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


def sigmoid(logits):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))

"""What the tasks share whose inputs are pictures."""

import collections.abc
from pathlib import Path

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.processors.images import load_image
from keras_tfm.runtime.compiling import compiled


class ImagePipeline(Pipeline):
    """A task on pictures: a path, a URL, base64 data, bytes, a PIL image or an array (h, w, 3).

    The rows are what the image processor makes of a picture, without the axis of the batch, and `size`, the picture's
    own (h, w). To each is added what the model returns: arrays by their names.

    Option of all these tasks: timeout, the seconds to wait for a URL. Default: for ever.
    """

    readers = {"image_processor": "AutoImageProcessor"}

    def make_forward(self):
        return ImageForward(self.model, self.outputs[0])

    @staticmethod
    def is_one(inputs):
        several = list | tuple | collections.abc.Iterator
        return isinstance(inputs, str | bytes | Path | np.ndarray) or not isinstance(inputs, several)

    def preprocess(self, item, *, timeout=None):
        return self.rows(item, timeout)

    def rows(self, item, timeout, **options):
        """The one row of a picture; `options` are the image processor's."""
        image = load_image(item, timeout=timeout)
        encoded = self.image_processor([image], **options)
        return [{name: array[0] for name, array in encoded.items()} | {"size": (image.height, image.width)}]


class ImageForward:
    """Runs a model on rows of pictures; those of one size together.

    Args:
        model: takes what the rows hold.
        output: the name of the output, where the model returns one tensor.
    """

    def __init__(self, model, output):
        self.model, self.run, self.output = model, compiled(model), output
        self.names = [*model.served, *model.optional]

    @staticmethod
    def size(row):
        """How many numbers a row has."""
        return sum(value.size for value in row.values() if isinstance(value, np.ndarray))

    def check(self, row):
        """The model says itself what it cannot take."""

    def __call__(self, rows, batch_size):
        """Up to `batch_size` rows -> {name: output, float32} of each."""
        results, by_shape = [None] * len(rows), {}
        for i, row in enumerate(rows):
            by_shape.setdefault(tuple(row[k].shape for k in self.names if k in row), []).append(i)
        for indices in by_shape.values():
            size = min(1 << (len(indices) - 1).bit_length(), batch_size)  # a power of two: few programs
            filled = [rows[i] for i in indices + indices[-1:] * (size - len(indices))]
            outputs = self.run({k: np.stack([row[k] for row in filled]) for k in self.names if k in filled[0]})
            outputs = outputs if isinstance(outputs, dict) else {self.output: outputs}
            arrays = {k: x.astype("float32", copy=False) for k, x in outputs.items() if isinstance(x, np.ndarray)}
            for place, i in enumerate(indices):
                results[i] = {name: array[place] for name, array in arrays.items()}
        return results


def batch_of_one(row):
    """The row's outputs as the model returned them, with the axis of the batch."""
    return {name: value[None] for name, value in row.items() if isinstance(value, np.ndarray)}

"""Pictures and feature maps: their layout, and how their sizes change.

Outside, maps lie as the reference has them, (B, C, h, w); inside, channels come last: (B, h, w, C).
Shapes: B batch, h and w the height and width of a picture or map, C channels.
"""

from keras import ops

from keras_tfm.runtime.tracing import sizes_are_known


def channels_last(images, channels=None):
    """images (B, C, h, w) -> (B, h, w, C).

    Raises:
        ValueError: they do not have as many `channels` as the model takes.
    """
    if len(images.shape) != 4 or channels is not None and images.shape[1] not in (None, channels):
        raise ValueError(
            f"pixel_values must be (batch, {channels or 'channels'}, height, width), not {tuple(images.shape)}: "
            "an image processor makes them so"
        )
    return ops.transpose(images, (0, 2, 3, 1))


def channels_first(maps):
    """maps (B, h, w, C) -> (B, C, h, w)."""
    return ops.transpose(maps, (0, 3, 1, 2))


def flatten(maps):
    """maps (B, h, w, C) -> tokens (B, h * w, C), row by row."""
    batch, height, width = ops.shape(maps)[:3]
    return ops.reshape(maps, (batch, height * width, maps.shape[3]))


def unflatten(tokens, height, width):
    """tokens (B, h * w, C) -> maps (B, h, w, C)."""
    return ops.reshape(tokens, (ops.shape(tokens)[0], height, width, tokens.shape[2]))


def pair(size):
    """(height, width) of a size that may be one number for both."""
    return (size, size) if isinstance(size, int) else tuple(size)


def _linear(t):
    return {0: 1 - t, 1: t}


def _cubic(t, a=-0.75):
    """Keys' cubic convolution with PyTorch's sharpness; Keras' own is softer (-0.5)."""

    def near(d):
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d):
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return {-1: far(t + 1), 0: near(t), 1: near(1 - t), 2: far(2 - t)}


KERNELS = {"nearest": lambda t: {0: ops.ones_like(t)}, "bilinear": _linear, "bicubic": _cubic}


def resize(maps, size, mode="bilinear", align_corners=False, scale=None):
    """maps (B, h, w, C) -> (B, *size, C), as PyTorch interpolates, without antialiasing.

    Args:
        size: the new height and width.
        mode: "nearest", "bilinear" or "bicubic".
        align_corners: whether the corner pixels keep their places.
        scale: by how much each side grows, where that is not just the ratio of the sizes.
    """
    for axis in (1, 2):
        maps = _resample(maps, axis, size[axis - 1], mode, align_corners, scale and scale[axis - 1])
    return maps


def _resample(maps, axis, size, mode, align_corners, scale):
    old = ops.shape(maps)[axis]
    if scale is None and sizes_are_known(old, size) and old == size:
        return maps
    place = ops.cast(ops.arange(size), "float32")
    step = _ratio(old, size) if scale is None else 1 / scale
    if align_corners:
        place = place * _ratio(old - 1, size - 1)
    elif mode == "nearest":
        place = place * step
    else:
        place = (place + 0.5) * step - 0.5
    if mode == "bilinear":
        place = ops.maximum(place, 0.0)
    first = ops.floor(place)
    shape = [-1 if i == axis else 1 for i in range(4)]
    resampled = 0.0
    for offset, weight in KERNELS[mode](place - first).items():
        index = ops.clip(ops.cast(first, "int32") + offset, 0, old - 1)
        resampled = resampled + ops.take(maps, index, axis=axis) * ops.cast(ops.reshape(weight, shape), maps.dtype)
    return resampled


def _ratio(old, new):
    return ops.cast(old, "float32") / ops.cast(ops.maximum(new, 1), "float32")


def pixel_shuffle(maps, factor):
    """maps (B, h, w, C * factor²) -> (B, h * factor, w * factor, C): each pixel's channels become a square."""
    batch, height, width = ops.shape(maps)[:3]
    channels = maps.shape[3] // factor**2
    squares = ops.reshape(maps, (batch, height, width, channels, factor, factor))
    squares = ops.transpose(squares, (0, 1, 4, 2, 5, 3))
    return ops.reshape(squares, (batch, height * factor, width * factor, channels))


def pad_to_multiple(maps, height, width):
    """maps (B, h, w, C) with zeros below and on the right, up to multiples of `height` and `width`."""
    h, w = ops.shape(maps)[1:3]
    if sizes_are_known(h, w) and h % height == 0 and w % width == 0:
        return maps
    return ops.pad(maps, ((0, 0), (0, -h % height), (0, -w % width), (0, 0)))

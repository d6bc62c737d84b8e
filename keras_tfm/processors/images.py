"""Pictures in: files, URLs, base64, bytes, PIL images, arrays and tensors -> PIL images, or arrays of known layout.

Shapes: h w height and width, C channels.
"""

import base64
import binascii
import io
import os
import urllib.error
import urllib.request
from contextlib import contextmanager

import numpy as np

FIRST, LAST = "channels_first", "channels_last"
PLAIN_CHANNELS = (1, 3)  # the counts by which a layout is recognised


def pillow():
    """The module PIL.Image; ImportError naming the extra if Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"pictures need Pillow ({error}): pip install 'keras-tfm[vision]'") from error
    return Image


def load_image(source, timeout=30):
    """A picture from anywhere -> PIL image in RGB, turned upright as its EXIF orientation says.

    Args:
        source: a path, an http(s) URL, base64 (bare or as a data: URL), the bytes of a file, a PIL image, or an array
            or tensor (h, w), (h, w, C) or (C, h, w), of 0..255 or of floats in 0..1.
        timeout: seconds to wait for a URL.

    Raises:
        FileNotFoundError: a string that is neither path nor URL nor base64.
        ConnectionError: the URL cannot be fetched.
        ValueError: no picture, a damaged or truncated one, more pixels than Pillow accepts (its limit is
            `PIL.Image.MAX_IMAGE_PIXELS`), or an array of the wrong shape or range.
        TypeError: anything else.
        ImportError: Pillow is not installed.
    """
    image_module = pillow()
    if isinstance(source, image_module.Image):
        with _readable(image_module, "the picture"):
            return _upright(source)
    if is_array(source):
        array = to_array(source)
        array = array[..., None] if array.ndim == 2 else array
        return to_pil(channels_last(array))[0].convert("RGB")
    if not isinstance(source, str | os.PathLike | bytes | bytearray | memoryview):
        raise TypeError(
            "a picture is a path, a URL, base64, bytes, a PIL image or an array, not " + type(source).__name__
        )
    file, name = _open(source, timeout)
    with _readable(image_module, name), image_module.open(file) as image:
        return _upright(image)


def load_frames(source, timeout=30):
    """The frames of a video, a list of pictures (see `load_image`) or an array (frames, h, w, 3) -> PIL images."""
    if isinstance(source, str | bytes) or len(source) == 0:
        raise ValueError("a video is a list of pictures, or an array (frames, h, w, 3), with at least one frame")
    return [load_image(frame, timeout) for frame in source]


def _open(source, timeout):
    """What PIL can open, and how to call it in messages."""
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source), f"the {len(source)} bytes"
    if isinstance(source, os.PathLike):
        if not os.path.isfile(source):
            raise FileNotFoundError(f"no such picture: {os.fspath(source)!r}")
        return source, repr(os.fspath(source))
    if source.startswith(("http://", "https://")):
        return io.BytesIO(fetch(source, timeout)), source
    if os.path.isfile(source):
        return source, repr(source)
    text = source.partition(",")[2] if source.startswith("data:image/") else source
    try:
        return io.BytesIO(base64.b64decode(text, validate=True)), f"the base64 {source[:40]!r}"
    except (binascii.Error, ValueError):
        raise FileNotFoundError(f"{source[:200]!r} is no file, no http(s) URL and no base64 of a picture") from None


def fetch(url, timeout):
    request = urllib.request.Request(url, headers={"User-Agent": "keras-tfm"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.read()
    except (OSError, ValueError) as error:  # unreachable, refused, timed out; or no URL after all
        reason = f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else error
        raise ConnectionError(f"{url} cannot be fetched ({reason}); timeout={timeout} s") from error


@contextmanager
def _readable(image_module, name):
    """Pillow's exceptions as one ValueError that says which picture it is about."""
    try:
        yield
    except image_module.UnidentifiedImageError:
        raise ValueError(f"{name} is not a picture that Pillow can read") from None
    except image_module.DecompressionBombError as error:
        raise ValueError(f"{name} is too large: {error} Raise PIL.Image.MAX_IMAGE_PIXELS if you trust it.") from error
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"{name} is damaged or truncated: {error}") from error


def _upright(image):
    from PIL import ImageOps

    return ImageOps.exif_transpose(image).convert("RGB")


def is_array(value):
    """Whether it is an array or tensor of some library."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def to_array(value):
    """A PIL image, an array, or a tensor of any library and on any device -> NumPy array."""
    for step in ("detach", "cpu"):
        value = getattr(value, step, lambda value=value: value)()
    if str(getattr(value, "dtype", "")).endswith("bfloat16"):  # NumPy has no such type
        value = value.float() if hasattr(value, "float") else np.asarray(value, "float32")
    return np.asarray(value)


def pictures(images):
    """A picture, a list of them or an array of several -> a list of pictures.

    Raises:
        ValueError: there are none, or an array has neither three nor four axes.
        TypeError: something is no picture.
    """
    if isinstance(images, list | tuple):
        if not images:
            raise ValueError("an empty batch: pass at least one picture")
        for image in images:
            _check_picture(image)
        return list(images)
    _check_picture(images)
    if not is_array(images) or images.ndim == 3:
        return [images]
    if images.ndim != 4:
        raise ValueError(f"pictures are arrays (h, w, C) or (B, h, w, C), channels first or last: got {images.shape}")
    return pictures(list(images))


def _check_picture(image):
    if not is_array(image) and not isinstance(image, pillow().Image):
        raise TypeError(
            f"a picture must be a PIL image, an array or a tensor, not {type(image).__name__}: "
            "load paths, URLs and bytes with keras_tfm.processors.load_image"
        )


def fits(array, layout):
    """Whether an array has one or three channels where `layout` says."""
    return array.ndim == 3 and array.shape[0 if layout == FIRST else 2] in PLAIN_CHANNELS


def channel_layout(array):
    """ "channels_first" or "channels_last": where an array of three axes has one or three; first wins.

    Raises:
        ValueError: it has other channels, or none.
    """
    for layout in (FIRST, LAST):
        if fits(array, layout):
            return layout
    raise ValueError(
        f"a picture must have 3 channels (or 1), first or last: got an array of shape {array.shape}. Convert grey, "
        "palette and transparent pictures with image.convert('RGB')"
    )


def channels_last(array, layout=None):
    """(C, h, w) or (h, w, C), recognised unless `layout` says which -> (h, w, C)."""
    layout = layout if layout and array.ndim == 3 else channel_layout(array)
    return array.transpose(1, 2, 0) if layout == FIRST else array


def to_pil(array):
    """(h, w, C) -> the PIL image of 8 bits a value, and whether it was scaled up from 0..1 for that.

    Integers, also as floats, count as 0..255, other floats as 0..1.

    Raises:
        ValueError: values outside that.
    """
    array = array[..., 0] if array.shape[-1] == 1 else array
    scaled = False
    if array.dtype != np.uint8:
        low, high = array.min(), array.max()
        whole = np.isfinite(low) and np.isfinite(high) and np.allclose(array, array.astype(int))
        scaled = not whole
        if not (low >= 0 and high <= (255 if whole else 1)):
            raise ValueError(
                f"pixels must be whole numbers in 0..255 or floats in 0..1, not {array.dtype} in {low}..{high}: "
                "divide pictures of 16 bits by 257, or pass do_resize=False for values that are prepared already"
            )
    return pillow().fromarray(((array * 255).astype(np.float32) if scaled else array).astype(np.uint8)), scaled

"""What is done to a picture (h, w, C): resizing, cropping, scaling. The rounding is Transformers'."""

import numpy as np

from keras_tfm.processors.images import to_pil

NEAREST, BILINEAR, BICUBIC = 0, 2, 3  # as Pillow counts its filters
HALF = [0.5, 0.5, 0.5]
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def resize(image, size, resample=BILINEAR):
    """(h, w, C) -> (*size, C), by Pillow, in 8 bits a value; pictures in 0..1 come back as float32 in 0..1."""
    picture, scaled = to_pil(image)
    height, width = size
    resized = np.array(picture.resize((width, height), resample=resample))
    resized = resized[..., None] if resized.ndim == 2 else resized
    resized = np.ascontiguousarray(resized.transpose(2, 0, 1)).transpose(1, 2, 0)  # what follows is faster by planes
    return rescale(resized, 1 / 255) if scaled else resized


def shortest_edge(height, width, edge):
    """The size (h, w) whose shorter side is `edge`, in the same proportions, rounded down."""
    long = int(edge * max(height, width) / min(height, width))
    return (long, edge) if width <= height else (edge, long)


def center_crop(image, size):
    """(h, w, C) -> the middle (*size, C); where the picture is too small, zeros around it."""
    starts, pads = [], []
    for side, crop in zip(image.shape[:2], size, strict=True):
        lack = max(0, int(crop) - side)
        pads.append((lack // 2, lack - lack // 2))
        starts.append(max(0, side - int(crop)) // 2)
    (top, left), (height, width) = starts, size
    return np.pad(image, (*pads, (0, 0)))[top : top + int(height), left : left + int(width)]


def rescale(image, factor):
    """image x factor, as float32."""
    return (image * factor).astype(np.float32)


def normalize(image, mean, std):
    """(image - mean) / std; `mean` and `std` are numbers, or one for each channel.

    Raises:
        ValueError: there are more or fewer of them than channels.
    """
    channels = image.shape[-1]
    for name, values in (("image_mean", mean), ("image_std", std)):
        if np.ndim(values) and len(values) != channels:
            raise ValueError(
                f"{name} has {len(values)} values and the picture {channels} channels: convert it with "
                "image.convert('RGB'), or pass do_normalize=False"
            )
    if not np.issubdtype(image.dtype, np.floating):
        image = image.astype(np.float32)
    return (image - np.asarray(mean, image.dtype)) / np.asarray(std, image.dtype)


def pad(image, height, width, top=0, left=0):
    """(h, w, C) -> (height, width, C), with zeros around it.

    Raises:
        ValueError: the picture is larger.
    """
    rows, columns = image.shape[:2]
    if rows + top > height or columns + left > width:
        raise ValueError(f"cannot pad a picture of {rows} x {columns} to {height} x {width}, which is smaller")
    return np.pad(image, ((top, height - rows - top), (left, width - columns - left), (0, 0)))

"""Pictures that both sides can make, from a seed, and what of the results a fixture stores. NumPy and Pillow only.

A picture is named "form:37x53" (height x width).
"""

import base64
import hashlib

import numpy as np
from PIL import Image
from seeded import integers


def picture(name):
    """The picture of this name. Forms: PIL images by mode, arrays by their layout, and segmentation maps."""
    form, _, size = name.partition(":")
    height, width = map(int, size.split("x"))
    rgb = integers(name, (height, width, 3), 0, 256).astype("uint8")
    rgb[..., 1] = np.linspace(0, 255, height)[:, None]  # not noise alone, or all filters would give grey
    grey = rgb[..., 0]
    if form in ("rgb", "grey", "rgba", "grey-alpha", "palette", "bits"):
        image = Image.fromarray(rgb)
        if form == "palette":
            image = Image.frombytes("P", (width, height), grey.tobytes())
            image.putpalette(integers("palette", (768,), 0, 256).astype("uint8").tobytes())
        elif form == "rgba":
            image.putalpha(Image.fromarray(grey))
        elif form == "grey-alpha":
            image = Image.merge("LA", [Image.fromarray(rgb[..., 1]), Image.fromarray(grey)])
        elif form != "rgb":
            image = image.convert({"grey": "L", "bits": "1"}[form])
        return image
    if form == "deep":  # 16 bits
        return Image.fromarray(rgb[..., 1].astype("uint16") * 257)
    if form in ("map", "map-image"):
        labels = np.repeat(np.repeat(integers(name, (height // 4 + 1, width // 4 + 1), 0, 6), 4, 0), 4, 1)
        labels = labels[:height, :width].astype("uint8")
        return labels if form == "map" else Image.fromarray(labels)
    return {
        "array": rgb,
        "first": rgb.transpose(2, 0, 1),
        "whole": rgb.astype("float32"),
        "floats": (rgb / 255).astype("float32"),
        "half": (rgb / 255).astype("float16"),
        "doubles-first": (rgb / 255).transpose(2, 0, 1),
        "one-channel": rgb[..., :1],
    }[form]


def pictures(names):
    """A picture for a name, a list for a list; "batch of 2 array:9x9" is one array."""
    if isinstance(names, list):
        return [pictures(name) for name in names]
    if names.startswith("batch of "):
        count, name = names.removeprefix("batch of ").split(" ")
        return np.stack([picture(name) for _ in range(int(count))])
    return picture(names)


def digest(array):
    """What is stored of an array that has to be reproduced exactly."""
    array = np.ascontiguousarray(array, "float32" if np.asarray(array).dtype.kind == "f" else "int32")
    some = array.reshape(-1)[:: max(1, array.size // 5)][:6]
    return {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest(), "some": some.tolist()}


def packed(array):
    """The float32 values of an array that has to be reproduced nearly."""
    array = np.ascontiguousarray(array, "float32")
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def unpacked(stored):
    return np.frombuffer(base64.b64decode(stored["data"]), "float32").reshape(stored["shape"])

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
    if form in ("map", "map-image", "void-map"):
        labels = np.repeat(np.repeat(integers(name, (height // 4 + 1, width // 4 + 1), 0, 6), 4, 0), 4, 1)
        labels = labels[:height, :width].astype("uint8")
        if form == "void-map":  # some pixels count for nothing
            labels[labels == 5] = 255
        return labels if form != "map-image" else Image.fromarray(labels)
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


def arguments(case, folder):
    """What a case calls its processor with, pictures and options; files go to `folder`."""
    given = {**case["options"]}
    classes = given.pop("instance_id_to_semantic_id", None)
    if classes:
        many = isinstance(classes[0][0], list)
        given["instance_id_to_semantic_id"] = [dict(each) for each in classes] if many else dict(classes)
    if "maps" in case:
        given["segmentation_maps"] = pictures(case["maps"])
    if "annotations" in case:
        names = case["images"] if isinstance(case["images"], list) else [case["images"]]
        given["annotations"] = [
            panoptic(name, folder)
            if kind == "panoptic"
            else coco(name, 5, keypoints=True)
            if kind == "keypoints"
            else coco(name, kind)
            for name, kind in zip(names, case["annotations"], strict=True)
        ]
        given["masks_path"] = folder
    return pictures(case["images"]), given


def scores(name, shape, scale=3):
    """Seeded values as a model may give them."""
    return (integers(name, tuple(shape), -1000, 1001) * (scale / 1000)).astype("float32")


def blobs(name, shape, scale=4):
    """Seeded masks (..., h, w) of a model: smooth, each high in a place of its own."""
    *many, height, width = shape
    count = int(np.prod(many))
    places = integers(name, (count, 3), 0, 100) / 100
    y, x = np.mgrid[0:height, 0:width]
    distance = [(y / height - cy) ** 2 + (x / width - cx) ** 2 - 0.02 - 0.1 * r for cy, cx, r in places]
    return (-scale * 10 * np.array(distance)).reshape(shape).astype("float32")


def model_outputs(shapes):
    """Seeded outputs of a model by their names, from {name: shape}."""
    outputs = {}
    for name, shape in shapes.items():  # few queries among many classes are surer
        if "boxes" in name:
            outputs[name] = (integers(name, tuple(shape), 1, 100) / 100).astype("float32")
        else:
            outputs[name] = (
                blobs(name, shape) if "masks" in name else scores(name, shape, scale=6 if shape[-1] < 20 else 12)
            )
    return outputs


def coco(name, count, masks=True, keypoints=False):
    """COCO's annotations of a picture "form:37x53": some boxes reach outside, the last are a crowd and an empty box."""
    height, width = map(int, name.partition(":")[2].split("x"))
    objects = []
    for i, (x, y, w, h, category) in enumerate(integers(name + "objects", (count, 5), 1, 100).tolist()):
        x, y, w, h = x / 99 * width - width / 3, y / 99 * height, w / 150 * width, h / 150 * height
        each = {"bbox": [x, y, w, h], "category_id": category, "area": w * h / 2, "id": i, "iscrowd": 0}
        if masks:
            star = [x, y, x + w, y + h / 3, x + w / 2, y + h, x + w / 5, y + h / 2, x - 1, y + h]
            box = [x, y, x + w, y, x + w, y + h, x, y + h, x, y]
            runs = {"counts": [height * 2 + 3, 4, height - 4, 4, height * (width - 3) - 7], "size": [height, width]}
            each["segmentation"] = [[star], [box, star[:6]], runs][i % 3]
        if keypoints:
            each["keypoints"] = [x, y, 2, x + w, y + h, 1]
        objects.append(each)
    objects += [objects[0] | {"iscrowd": 1}, objects[0] | {"bbox": [3, 4, 0, 5]}] if count else []
    return {"image_id": 39769, "annotations": objects}


def panoptic(name, folder):
    """COCO's panoptic annotations of a picture "form:37x53", and their PNG file. The last segment has no pixels."""
    height, width = map(int, name.partition(":")[2].split("x"))
    number = picture(f"map:{height}x{width}").astype("int64")
    ids = np.array([0, 7, 300, 70_000, 255, 1_000_001])[number]
    colors = np.stack([ids % 256, ids // 256 % 256, ids // 65_536], -1).astype("uint8")
    file = name.replace(":", "-") + ".png"
    Image.fromarray(colors).save(folder / file)
    segments = [
        {"id": i, "category_id": 3 + n, "area": int((ids == i).sum()), "iscrowd": n % 2, "isthing": 1}
        for n, i in enumerate([7, 300, 70_000, 255, 999])
    ]
    return {"image_id": 285, "file_name": file, "segments_info": segments}


def digest(array):
    """What is stored of an array that has to be reproduced exactly."""
    array = np.ascontiguousarray(array, "float32" if np.asarray(array).dtype.kind == "f" else "int32")
    some = array.reshape(-1)[:: max(1, array.size // 5)][:6]
    return {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest(), "some": some.tolist()}


def stored(value):
    """What is stored of results: whole numbers to be reproduced exactly, others nearly."""
    if isinstance(value, dict):
        return {key: stored(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [stored(each) for each in value]
    if not isinstance(value, np.ndarray):
        return value
    return packed(value) if value.dtype.kind == "f" and (value != np.round(value)).any() else digest(value.astype(int))


def packed(array):
    """The float32 values of an array that has to be reproduced nearly."""
    array = np.ascontiguousarray(array, "float32")
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def unpacked(stored):
    return np.frombuffer(base64.b64decode(stored["data"]), "float32").reshape(stored["shape"])

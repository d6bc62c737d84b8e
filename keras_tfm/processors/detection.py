"""Detection: COCO's annotations in beside the pictures, and boxes out of a model's outputs.

Shapes: B pictures, h w their height and width, N objects of a picture, Q queries.
"""

from pathlib import Path

import numpy as np

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor, same_shape, stacked
from keras_tfm.processors.images import pillow
from keras_tfm.processors.polygons import outlined
from keras_tfm.processors.segmentation import output, sizes, softmax
from keras_tfm.processors.transforms import NEAREST

DETECTION, PANOPTIC = "coco_detection", "coco_panoptic"
PADDING = -100  # the class of no object
NOWHERE = 1e8  # where the box of an empty mask starts


class LongestEdgeProcessor(ImageProcessor):
    """Resizes the shorter side to `shortest_edge`, but the longer one to no more than `longest_edge`, and pads the
    pictures of a batch at the bottom and on the right to one size."""

    defaults = ImageProcessor.defaults | {
        "size": {"shortest_edge": 800, "longest_edge": 1333},
        "image_mean": transforms.IMAGENET_MEAN,
        "image_std": transforms.IMAGENET_STD,
    }
    synonyms = {"max_size": "max_size"}  # formerly longest_edge, beside a plain number as `size`
    model_input_names = ("pixel_values", "pixel_mask")

    @classmethod
    def _own_options(cls, options):
        options = super()._own_options(options)
        longest = options.pop("max_size", None)
        if longest is not None and isinstance(options.get("size"), int):
            options["size"] = {"shortest_edge": options["size"], "longest_edge": longest}
        return options

    def _padded(self, rows, options):
        """Pictures (h, w, C) of any sizes -> pixel_values and pixel_mask."""
        height, width = (max(sides) for sides in zip(*(row.shape[:2] for row in rows), strict=True))
        mask = np.zeros((len(rows), height, width), np.int32)
        for real, row in zip(mask, rows, strict=True):
            real[: row.shape[0], : row.shape[1]] = 1
        rows = [transforms.pad(row, height, width) for row in rows]
        return {"pixel_values": stacked("pixel_values", rows, options.data_format), "pixel_mask": mask}


class DetectionProcessor(LongestEdgeProcessor):
    """DETR's preparation of pictures and annotations, which its successors share.

    format: of the annotations, "coco_detection" or "coco_panoptic".
    do_convert_annotations: boxes as (center x, center y, width, height) in parts of the picture instead of (left, top,
        right, bottom) in pixels; by default where pictures are normalised.
    do_pad: bring pictures of different sizes to one, with zeros below and on the right.
    """

    defaults = LongestEdgeProcessor.defaults | {"do_convert_annotations": None, "do_pad": True, "format": DETECTION}
    synonyms = LongestEdgeProcessor.synonyms | {"pad_and_return_pixel_mask": "do_pad"}
    returns_mask = True

    def __init__(self, **config):
        super().__init__(**config)
        if self.do_convert_annotations is None:
            self.do_convert_annotations = self.do_normalize

    def __call__(self, images, annotations=None, return_segmentation_masks=None, masks_path=None, **options):
        """Pictures -> {"pixel_values": float32 (B, 3, h, w), "pixel_mask": int32 (B, h, w), 1 where a picture is}.

        images: see `ImageProcessor`.
        annotations: COCO's of each picture; of the form "coco_detection" {"image_id", "annotations": [{"bbox",
            "category_id", "area", "iscrowd"?, "segmentation"?, "keypoints"?}, ...]}, of the form "coco_panoptic"
            {"image_id", "file_name", "segments_info": [{"id", "category_id", "area", "iscrowd"}, ...]}.
        return_segmentation_masks: masks too; by default those of panoptic annotations.
        masks_path: the folder of the PNG files that panoptic annotations name.

        With annotations also "labels", a list of dicts: class_labels (N,), boxes (N, 4), area (N,), iscrowd (N,),
        image_id (1,), orig_size (2,), size (2,), masks (N, h, w) and keypoints. `padded_labels` makes of them what
        `fit` takes.

        ValueError for annotations of another form or number, besides what `ImageProcessor` raises.
        """
        options = self._options(options)
        arrays = self._arrays(images, options)
        rows = [self._prepared(array, options) for array in arrays]
        if options.do_pad:
            outputs = self._padded(rows, options)
        else:
            outputs = {"pixel_values": stacked("pixel_values", rows, options.data_format)}
        if annotations is not None:
            annotations = [annotations] if isinstance(annotations, dict) else annotations
            read = READERS.get(options.format)
            if read is None:
                raise ValueError(f"format must be {' or '.join(map(repr, READERS))}, not {options.format!r}")
            if len(annotations) != len(rows):
                raise ValueError(f"there are {len(annotations)} annotations for {len(rows)} pictures")
            labels = []
            for annotation, array, row in zip(annotations, arrays, rows, strict=True):
                label = read(annotation, array.shape[:2], return_segmentation_masks, masks_path)
                label = resized(label, array.shape[:2], row.shape[:2])
                label = relative(label, row.shape[:2]) if options.do_convert_annotations else label
                if options.do_pad:
                    size = outputs["pixel_mask"].shape[1:]
                    label = padded(label, row.shape[:2], size, options.do_convert_annotations)
                labels.append(label)
            outputs["labels"] = labels
        if not self.returns_mask:
            outputs.pop("pixel_mask", None)
        return outputs

    preprocess = __call__

    def _target_size(self, height, width, options):
        if "shortest_edge" not in options.size:
            return super()._target_size(height, width, options)
        edge = bounded(height, width, options.size["shortest_edge"], options.size.get("longest_edge"))
        if min(height, width) == edge:
            return height, width
        return (int(edge * height / width), edge) if width < height else (edge, int(edge * width / height))

    def padded_labels(self, labels, count=None):
        """The labels of B pictures -> a dict of arrays for `fit`: class_labels int32 (B, N), -100 where there is no
        object, boxes float32 (B, N, 4) and where they have them masks uint8 (B, N, h, w).

        count: N, at least the most objects of a picture, which is the default. One for all batches saves compiling.
        """
        arrays = {"class_labels": padded_rows("class_labels", labels, count, PADDING)}
        arrays["boxes"] = padded_rows("boxes", labels, count)
        if labels and "masks" in labels[0]:
            arrays["masks"] = padded_rows("masks", labels, count).astype(np.uint8)
        return arrays

    def post_process_object_detection(self, outputs, threshold=0.5, target_sizes=None):
        """`logits` (B, Q, classes + 1) and `pred_boxes` (B, Q, 4) -> for each picture a dict of the n queries whose
        best class scores more than `threshold`: scores float32 (n,), labels int32 (n,) and boxes float32 (n, 4), (left,
        top, right, bottom) in pixels of `target_sizes`, B sizes (h, w), or in parts of the picture without."""
        scores = softmax(output(outputs, "logits"))[..., :-1]
        boxes = scaled_corners(output(outputs, "pred_boxes"), target_sizes)
        return detections(scores.max(-1), scores.argmax(-1), boxes, threshold)


def bounded(height, width, edge, longest):
    """The shorter edge, or less where the longer one would exceed `longest`."""
    short, long = float(min(height, width)), float(max(height, width))
    return int(round(longest * short / long)) if longest is not None and long / short * edge > longest else edge


def detections(scores, labels, boxes, threshold):
    """(B, Q), (B, Q) and (B, Q, 4) -> a list of dicts of those above the threshold."""
    return [
        {"scores": s[s > threshold], "labels": n[s > threshold].astype(np.int32), "boxes": b[s > threshold]}
        for s, n, b in zip(scores, labels, boxes, strict=True)
    ]


def scaled_corners(boxes, target_sizes):
    """(B, Q, 4) as center and size in parts -> as corners in pixels of the B target sizes (h, w), if there are any."""
    boxes = corners(boxes)
    if target_sizes is None:
        return boxes
    factors = np.array([[w, h, w, h] for h, w in sizes(target_sizes, len(boxes))], np.float32)
    return boxes * factors[:, None]


def corners(boxes):
    """(..., 4) as (center x, center y, width, height) -> (left, top, right, bottom)."""
    x, y, width, height = np.moveaxis(boxes, -1, 0)
    return np.stack([x - 0.5 * width, y - 0.5 * height, x + 0.5 * width, y + 0.5 * height], -1)


def read_detection(annotation, size, with_masks, masks_path):
    """A picture's annotations in the form "coco_detection" -> labels, boxes as corners in pixels. Crowds and boxes
    without area are left out."""
    objects = _entries(annotation, "annotations", ("image_id",), ("bbox", "category_id", "area"))
    objects = [each for each in objects if not each.get("iscrowd")]
    boxes = np.array([each["bbox"] for each in objects], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    boxes = np.clip(boxes, 0, np.array([size[1], size[0]] * 2, np.float32))
    keep = (boxes[:, 3] > boxes[:, 1]) & (boxes[:, 2] > boxes[:, 0])
    label = {
        "image_id": np.array([annotation["image_id"]]),
        "class_labels": np.array([each["category_id"] for each in objects], np.int32)[keep],
        "boxes": boxes[keep],
        "area": np.array([each["area"] for each in objects], np.float32)[keep],
        "iscrowd": np.zeros(keep.sum(), np.int32),
        "orig_size": np.array(size, np.int32),
    }
    if objects and "keypoints" in objects[0]:
        keypoints = np.array([each["keypoints"] for each in objects], np.float32)[keep]
        label["keypoints"] = keypoints.reshape(-1, 3) if len(keypoints) else keypoints
    if with_masks:
        masks = [outlined(each.get("segmentation"), *size) for each in objects]
        label["masks"] = np.array(masks, bool).reshape(-1, *size)[keep]
    return label


def read_panoptic(annotation, size, with_masks, masks_path):
    """A picture's annotations in the form "coco_panoptic" -> labels, boxes as corners in pixels."""
    needed = ("image_id", "file_name")
    segments = _entries(annotation, "segments_info", needed, ("id", "category_id", "area", "iscrowd"))
    if masks_path is None:
        raise ValueError("panoptic annotations need masks_path, the folder of their PNG files")
    with pillow().open(Path(masks_path) / annotation["file_name"]) as image:
        colors = np.asarray(image.convert("RGB"), np.uint32)
    ids = colors[..., 0] + 256 * colors[..., 1] + 256 * 256 * colors[..., 2]
    masks = ids == np.array([each["id"] for each in segments])[:, None, None]
    if masks.shape[1:] != tuple(size):
        raise ValueError(
            f"{annotation['file_name']} is {ids.shape[0]} x {ids.shape[1]}, its picture {size[0]} x {size[1]}"
        )
    label = {
        "image_id": np.array([annotation["image_id"]]),
        "orig_size": np.array(size, np.int32),
        "boxes": enclosing(masks),
        "class_labels": np.array([each["category_id"] for each in segments], np.int32),
        "iscrowd": np.array([each["iscrowd"] for each in segments], np.int32),
        "area": np.array([each["area"] for each in segments], np.float32),
    }
    return label if with_masks is False else {**label, "masks": masks}


READERS = {DETECTION: read_detection, PANOPTIC: read_panoptic}


def _entries(annotation, key, needed, of_each):
    """The list under `key`, after a look at whether all is there."""
    entries = annotation.get(key) if isinstance(annotation, dict) else None
    lacking = [name for name in needed if isinstance(annotation, dict) and name not in annotation]
    if not isinstance(entries, list | tuple) or lacking:
        raise ValueError(
            f"the annotations of a picture must be a dict of {', '.join(needed)} and a list {key!r}: got "
            + (f"one of {', '.join(annotation)}" if isinstance(annotation, dict) else type(annotation).__name__)
        )
    for entry in entries:
        lacking = [name for name in of_each if not isinstance(entry, dict) or name not in entry]
        if lacking:
            raise ValueError(f"one of the {key} of a picture lacks {', '.join(lacking)}")
    return entries


def enclosing(masks):
    """(N, h, w) -> the boxes (left, top, right, bottom) around them, float32 (N, 4)."""
    boxes = np.zeros((len(masks), 4), np.float32)
    for axis, first in ((1, 0), (2, 1)):  # over rows for the columns, and the other way
        there = masks.any(axis)
        places = np.arange(there.shape[1], dtype=np.float32)
        boxes[:, first] = np.where(there, places, NOWHERE).min(1)
        boxes[:, first + 2] = np.where(there, places, 0).max(1)
    return boxes


def resized(label, old, new):
    """Labels of a picture (h, w) -> those after resizing it."""
    height, width = new[0] / old[0], new[1] / old[1]
    label = {**label, "size": np.array(new, np.int32), "area": label["area"] * (width * height)}
    label["boxes"] = label["boxes"] * np.array([width, height, width, height], np.float32)
    if "masks" in label and tuple(old) != tuple(new):
        masks = [
            transforms.resize(mask[..., None].astype(np.uint8), new, NEAREST)[..., 0] > 0 for mask in label["masks"]
        ]
        label["masks"] = np.array(masks, bool).reshape(-1, *new)
    return label


def relative(label, size):
    """Labels with boxes as corners in pixels -> with boxes as center and size, in parts of the picture (h, w)."""
    left, top, right, bottom = label["boxes"].T
    boxes = np.stack([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], -1)
    return {**label, "boxes": boxes / np.array([size[1], size[0]] * 2, np.float32)}


def padded(label, old, new, boxes_too):
    """Labels of a picture (h, w) -> those after padding it below and on the right."""
    label = {**label, "size": np.array(new, np.int32)}
    if "masks" in label:
        label["masks"] = np.pad(label["masks"], ((0, 0), (0, new[0] - old[0]), (0, new[1] - old[1])))
    if boxes_too:  # they are in parts of the picture
        label["boxes"] = (label["boxes"] * np.array([old[1] / new[1], old[0] / new[0]] * 2)).astype(np.float32)
    return label


def padded_rows(name, labels, count=None, value=0):
    """The arrays (n, ...) under a name in several dicts -> one array (B, N, ...), filled up with `value`.

    ValueError if N is too small, or the arrays don't fit together.
    """
    rows = [label[name] for label in labels]
    most = max(map(len, rows), default=0)
    count = most if count is None else count
    if most > count:
        raise ValueError(f"a picture has {most} objects, more than count={count}")
    if name.startswith("mask"):
        same_shape(name, [row.transpose(1, 2, 0) for row in rows])
    filled = [np.pad(row, ((0, count - len(row)), *[(0, 0)] * (row.ndim - 1)), constant_values=value) for row in rows]
    return np.stack(filled)

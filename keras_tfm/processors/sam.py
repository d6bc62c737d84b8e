"""SAM's processors: pictures, points and boxes in, masks out.

Shapes: B pictures, h w height and width, N masks, n points.
"""

import math
from itertools import product

import numpy as np

from keras_tfm.processors import transforms
from keras_tfm.processors.images import channels_last, to_array
from keras_tfm.processors.segmentation import LabelledProcessor, resize_bilinear
from keras_tfm.processors.transforms import NEAREST

PADDING = -10  # the label and the coordinates of no point
NEAR_EDGE = 20.0  # pixels within which a box touches the edge of a crop


class SamImageProcessor(LabelledProcessor):
    """Resizes the longer side to 1024, normalises as for ImageNet and adds zeros up to 1024 x 1024.

    pad_size: what do_pad pads to. mask_size, mask_pad_size: `size` and `pad_size` of segmentation maps.
    """

    defaults = LabelledProcessor.defaults | {
        "size": {"longest_edge": 1024},
        "mask_size": {"longest_edge": 256},
        "image_mean": transforms.IMAGENET_MEAN,
        "image_std": transforms.IMAGENET_STD,
        "do_pad": True,
        "pad_size": {"height": 1024, "width": 1024},
        "mask_pad_size": {"height": 256, "width": 256},
        "do_convert_rgb": True,
    }
    steps = ("resize", "rescale", "normalize", "pad")

    def __call__(self, images, segmentation_maps=None, **options):
        """Pictures and optionally their label maps -> {"pixel_values": float32 (B, 3, h, w), "original_sizes" and
        "reshaped_input_sizes": int32 (B, 2), the pictures' height and width before and after resizing} and with maps
        {"labels": int32 (B, h, w)}. See `ImageProcessor`."""
        return super().__call__(images, segmentation_maps, **options)

    preprocess = __call__

    def _outputs(self, arrays, options):
        outputs = super()._outputs(arrays, options)
        originals = [array.shape[:2] for array in arrays]
        new = [self._target_size(*size, options) if options.do_resize else size for size in originals]
        return outputs | {
            "original_sizes": np.array(originals, np.int32),
            "reshaped_input_sizes": np.array(new, np.int32),
        }

    def _target_size(self, height, width, options):
        if "longest_edge" not in options.size or len(options.size) > 1:
            raise ValueError(f"size must have longest_edge alone: got {options.size}")
        return scaled_size(height, width, options.size["longest_edge"])

    def _pad(self, image, options):
        return transforms.pad(image, options.pad_size["height"], options.pad_size["width"])

    def _map_options(self, options):
        return {"resample": NEAREST, "size": options.mask_size, "pad_size": options.mask_pad_size}

    def post_process_masks(
        self, masks, original_sizes, reshaped_input_sizes, mask_threshold=0.0, binarize=True, pad_size=None
    ):
        """The model's `pred_masks` (B, n, N, h, w) -> for each picture (n, N, *original size), bool or without
        `binarize` float32.

        original_sizes, reshaped_input_sizes: (B, 2) of the processor's outputs. pad_size: what pictures were padded to,
            default the processor's.
        """
        target = self._checked("pad_size", pad_size or self.pad_size)
        results = []
        for each, original, new in zip(masks, _pairs(original_sizes), _pairs(reshaped_input_sizes), strict=True):
            each = to_array(each).astype(np.float32)
            result = np.empty((*each.shape[:-2], *original), bool if binarize else np.float32)
            for place in np.ndindex(each.shape[:-2]):  # one by one, since they are large
                mask = resize_bilinear(each[place], (target["height"], target["width"]))
                mask = resize_bilinear(mask[: new[0], : new[1]], original)
                result[place] = mask > mask_threshold if binarize else mask
            results.append(result)
        return results

    def generate_crop_boxes(
        self,
        image,
        target_size,
        crop_n_layers=0,
        overlap_ratio=512 / 1500,
        points_per_crop=32,
        crop_n_points_downscale_factor=1,
        input_data_format=None,
    ):
        """A picture -> where to look for masks: boxes float32 (crops, 4), points float32 (1, n, crops, 2) in pixels of
        the resized picture, the crops, a list of arrays (h, w, 3), and the points' labels int32 (1, n, crops), all 1.

        target_size: what the longer side is resized to. crop_n_layers: layer i cuts the picture in 2^i x 2^i besides,
            which overlap by `overlap_ratio` of its shorter side, shared. points_per_crop: along each side of a crop,
            divided by `crop_n_points_downscale_factor` in each further layer.
        """
        image = channels_last(to_array(image), input_data_format)
        height, width = image.shape[:2]
        boxes, grids, crops = [], [], []
        for layer in range(crop_n_layers + 1):
            grid = _point_grid(int(points_per_crop / crop_n_points_downscale_factor**layer))
            for left, top, right, bottom in _crops(height, width, layer, overlap_ratio):
                boxes.append([left, top, right, bottom])
                crops.append(image[top:bottom, left:right])
                points = grid * np.array([right - left, bottom - top])
                grids.append(moved(points, (height, width), scaled_size(height, width, target_size)))
        if len({len(grid) for grid in grids}) > 1:
            raise ValueError("crops of one call need the same number of points: crop_n_points_downscale_factor=1")
        points = np.array(grids, np.float32).transpose(1, 0, 2)[None]
        return np.array(boxes, np.float32), points, crops, np.ones(points.shape[:3], np.int32)

    def filter_masks(
        self,
        masks,
        iou_scores,
        original_size,
        cropped_box_image,
        pred_iou_thresh=0.88,
        stability_score_thresh=0.95,
        mask_threshold=0,
        stability_score_offset=1,
    ):
        """The masks of a crop (n, N, h, w), as numbers, and their scores (n, N) -> those worth keeping, as runs in the
        whole picture, a list of {"size", "counts"} along the columns; their scores (m,) and their boxes (m, 4) in the
        crop.

        original_size: (h, w) of the whole picture. cropped_box_image: the crop (left, top, right, bottom).
        Dropped are masks that score no more than `pred_iou_thresh`; those that change much where `mask_threshold` moves
        by `stability_score_offset`; and those that touch the edge of a crop within the picture.
        """
        masks, scores = to_array(masks), to_array(iou_scores)
        if masks.shape[:2] != scores.shape:
            raise ValueError(f"masks {masks.shape} and iou_scores {scores.shape} must be of the same points and masks")
        masks, scores = masks.reshape(-1, *masks.shape[2:]), scores.reshape(-1)
        keep = scores > pred_iou_thresh if pred_iou_thresh > 0 else np.ones(len(scores), bool)
        if stability_score_thresh > 0:
            strict, loose = (
                (masks > mask_threshold + offset).sum((1, 2)).astype(np.float32)
                for offset in (stability_score_offset, -stability_score_offset)
            )
            with np.errstate(invalid="ignore"):
                keep &= strict / loose > stability_score_thresh
        masks, scores = masks[keep] > mask_threshold, scores[keep]
        boxes = _boxes(masks)
        crop = [int(side) for side in to_array(cropped_box_image)]
        whole = [0, 0, int(original_size[1]), int(original_size[0])]
        keep = ~_touches_crop(boxes, crop, whole)
        runs = [_runs(_in_picture(mask, crop, whole)) for mask in masks[keep]]
        return runs, scores[keep], boxes[keep]

    def post_process_for_mask_generation(self, all_masks, all_scores, all_boxes, crops_nms_thresh):
        """The runs, scores and boxes of all crops -> without doubles, the best first: masks, a list of bool (h, w),
        scores (m,), runs and boxes (m, 4).

        crops_nms_thresh: what a box may share with a better one, as the intersection over the union.
        """
        all_scores, all_boxes = to_array(all_scores), to_array(all_boxes)
        kept = distinct(all_boxes.astype(np.float32), all_scores, crops_nms_thresh)
        runs = [all_masks[i] for i in kept]
        return [_mask(each) for each in runs], all_scores[kept], runs, all_boxes[kept]


class SamProcessor:
    """Pictures with points and boxes, over a `SamImageProcessor`."""

    def __init__(self, image_processor):
        self.image_processor = image_processor

    @classmethod
    def from_preset(cls, source, **options):
        """See `ImageProcessor.from_preset`."""
        return cls(SamImageProcessor.from_preset(source, **options))

    from_pretrained = from_preset

    def save_preset(self, folder):
        """Write preprocessor_config.json into `folder`."""
        self.image_processor.extra["processor_class"] = type(self).__name__
        self.image_processor.save_preset(folder)

    save_pretrained = save_preset

    def __call__(
        self, images, segmentation_maps=None, input_points=None, input_labels=None, input_boxes=None, **options
    ):
        """What `SamImageProcessor` makes of pictures, and the points and boxes in pixels of the resized pictures.

        input_points: for each picture its points [[x, y], ...], or a list of several such prompts: float32 (B, prompts,
            n, 2).
        input_labels: for each point 1 if it is inside, 0 if outside, -1 for neither: int32 (B, prompts, n). Where
            pictures have different numbers of points, the missing ones get -10.
        input_boxes: for each picture its boxes [[left, top, right, bottom], ...]: float32 (B, boxes, 4).

        ValueError where their shapes don't fit together, besides what `ImageProcessor` raises.
        """
        outputs = self.image_processor(images, segmentation_maps, **options)
        originals, new = _pairs(outputs["original_sizes"]), _pairs(outputs["reshaped_input_sizes"])
        labels = _rows("input_labels", input_labels, (1, 2))
        if input_boxes is not None:
            boxes = [each.astype(np.float32).reshape(-1, 2, 2) for each in _rows("input_boxes", input_boxes, (2,))]
            boxes = [each.reshape(-1, 4) for each in _moved(boxes, originals, new)]
            outputs["input_boxes"] = _stacked("input_boxes", boxes, 3).astype(np.float32)
        if input_points is not None:
            points = _moved(_rows("input_points", input_points, (2, 3)), originals, new)
            if labels is not None and [each.shape for each in labels] != [each.shape[:-1] for each in points]:
                raise ValueError("input_labels must have one label for each of input_points")
            if labels is not None and all(each.ndim == 2 for each in points):
                most = max(map(len, points))
                lacks = [(0, most - len(each)) for each in points]
                points = [
                    np.pad(each, (lack, (0, 0)), constant_values=PADDING)
                    for each, lack in zip(points, lacks, strict=True)
                ]
                labels = [np.pad(each, lack, constant_values=PADDING) for each, lack in zip(labels, lacks, strict=True)]
            outputs["input_points"] = _stacked("input_points", points, 4).astype(np.float32)
        if labels is not None:
            outputs["input_labels"] = _stacked("input_labels", labels, 3).astype(np.int32)
        return outputs

    def post_process_masks(self, *args, **options):
        """See `SamImageProcessor.post_process_masks`."""
        return self.image_processor.post_process_masks(*args, **options)


def scaled_size(height, width, longest):
    """The size (h, w) whose longer side is `longest`, in the same proportions, rounded."""
    scale = longest / max(height, width)
    return int(height * scale + 0.5), int(width * scale + 0.5)


def moved(points, old, new):
    """Points (..., 2) as x, y in a picture of one size (h, w) -> in that of another."""
    return points.astype(float) * np.array([new[1] / old[1], new[0] / old[0]])


def _moved(rows, originals, new):
    if len(rows) != len(originals):  # several prompts for the first picture
        originals, new = originals[:1] * len(rows), new[:1] * len(rows)
    return [moved(*each) for each in zip(rows, originals, new, strict=True)]


def _rows(name, values, axes):
    """An array for each picture."""
    if values is None:
        return None
    try:
        rows = [np.asarray(to_array(row), float) for row in values]
    except (TypeError, ValueError):
        rows = []
    last = {"input_points": 2, "input_boxes": 4}.get(name)
    if not rows or any(row.ndim not in axes or last not in (None, row.shape[-1]) for row in rows):
        form = {"input_points": "[[x, y], ...]", "input_boxes": "[[left, top, right, bottom], ...]"}
        raise ValueError(
            f"{name} must be a list with {form.get(name, '[label, ...]')} for each picture: got {values!r:.80}"
        )
    return rows


def _stacked(name, rows, axes):
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1:
        hint = "; with input_labels, points are filled up" if name == "input_points" else ""
        raise ValueError(f"{name} must have the same shape for each picture: got {shapes}{hint}")
    array = np.stack(rows)
    return array[:, None] if array.ndim < axes else array


def _pairs(values):
    return [tuple(int(side) for side in to_array(pair)) for pair in values]


def _point_grid(count):
    """count x count points (count², 2), x fastest, in the middles of as many squares of the unit square."""
    side = np.linspace(1 / (2 * count), 1 - 1 / (2 * count), count)
    return np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)


def _crops(height, width, layer, overlap_ratio):
    """The boxes (left, top, right, bottom) of a layer."""
    count = 2**layer
    overlap = int(overlap_ratio * min(height, width) * (2 / count)) if layer else 0
    wide, high = (math.ceil((overlap * (count - 1) + side) / count) for side in (width, height))
    lefts, tops = ([(size - overlap) * i for i in range(count)] for size in (wide, high))
    return [(left, top, min(left + wide, width), min(top + high, height)) for left, top in product(lefts, tops)]


def _boxes(masks):
    """(m, h, w) -> (left, top, right, bottom) of the outermost pixels, int32 (m, 4), zeros for an empty mask."""
    boxes = np.zeros((len(masks), 4), np.int32)
    for axis, first in ((1, 0), (2, 1)):
        there = masks.any(axis)
        boxes[:, first] = there.argmax(1)
        boxes[:, first + 2] = np.where(there.any(1), there.shape[1] - 1 - there[:, ::-1].argmax(1), 0)
    return boxes


def _touches_crop(boxes, crop, whole):
    """Which boxes in a crop have a side near one of its sides that is none of the whole picture's."""
    boxes = boxes + np.array([crop[0], crop[1]] * 2)
    near_crop, near_whole = (abs(boxes - np.array(sides)) <= NEAR_EDGE for sides in (crop, whole))
    return (near_crop & ~near_whole).any(1)


def _in_picture(mask, crop, whole):
    left, top, right, bottom = crop
    return np.pad(mask, ((top, whole[3] - bottom), (left, whole[2] - right)))


def _runs(mask):
    """A mask (h, w) -> the lengths of its runs down the columns, the first one of False."""
    flat = mask.T.reshape(-1)
    borders = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], borders, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


def _mask(runs):
    height, width = runs["size"]
    counts = runs["counts"]
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def distinct(boxes, scores, threshold):
    """The indices of the boxes (m, 4), the best first, that share no more than `threshold` with a better one."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    rest, kept = np.argsort(-scores, kind="stable"), []
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        low, high = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.maximum(high - low, 0).prod(1)
        with np.errstate(invalid="ignore"):
            part = shared / (areas[best] + areas[rest] - shared)
        rest = rest[~(part.astype(float) > threshold)]
    return np.array(kept, int)

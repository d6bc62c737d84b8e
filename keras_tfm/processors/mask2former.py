"""Mask2Former's image processor."""

import math
from types import SimpleNamespace

import numpy as np

from keras_tfm.processors.detection import PADDING, LongestEdgeProcessor, padded_rows
from keras_tfm.processors.segmentation import (
    label_maps,
    output,
    resize_bilinear,
    resize_nearest,
    sigmoid,
    sizes,
    softmax,
)
from keras_tfm.processors.segments import query_class_maps, query_segments, runs_of_segments
from keras_tfm.processors.transforms import NEAREST

CANVAS = (384, 384)  # what masks are resized to before anything is made of them


class Mask2FormerImageProcessor(LongestEdgeProcessor):
    """Resizes the shorter side to 800, the longer one to no more than 1333, both then up to multiples of
    `size_divisor`, and normalises as for ImageNet.

    ignore_index: the label, in segmentation maps, of pixels that belong to nothing.
    reduce_labels: 0 is the background, which becomes `ignore_index`, and the other labels move down by one.
    """

    defaults = LongestEdgeProcessor.defaults | {"size_divisor": 32, "ignore_index": None, "reduce_labels": False}
    synonyms = LongestEdgeProcessor.synonyms | {"size_divisibility": "size_divisor"}

    def __call__(self, images, segmentation_maps=None, instance_id_to_semantic_id=None, **options):
        """Pictures -> {"pixel_values": float32 (B, 3, h, w), "pixel_mask": int32 (B, h, w), 1 where a picture is}.

        images: see `ImageProcessor`.
        segmentation_maps: for each picture a map (h, w) of its labels, or of its instances' ids up to 255, an array or
            a grey or palette PIL image.
        instance_id_to_semantic_id: the class of each id, a dict or one for each picture; by default ids are classes.

        With maps also "mask_labels", for each picture float32 (N, h, w) of 0 and 1, and "class_labels", int32 (N,).
        `padded_labels` makes of them what `fit` takes.

        ValueError for maps that don't fit their pictures, besides what `ImageProcessor` raises.
        """
        options = self._options(options)
        outputs = self._padded([self._prepared(each, options) for each in self._arrays(images, options)], options)
        if segmentation_maps is not None:
            maps = label_maps(segmentation_maps, len(outputs["pixel_values"]))
            classes = instance_id_to_semantic_id
            classes = list(classes) if isinstance(classes, list | tuple) else [classes] * len(maps)
            if len(classes) != len(maps):
                raise ValueError(f"instance_id_to_semantic_id has {len(classes)} dicts for {len(maps)} pictures")
            geometry = SimpleNamespace(**{**vars(options), "resample": NEAREST})
            pairs = []
            for each, of_ids in zip(maps, classes, strict=True):
                each = self._prepared(each[..., None], geometry, ["resize"])[..., 0]
                masks, labels = _binary_masks(each, of_ids, options)
                room = [(0, side - own) for side, own in zip(outputs["pixel_mask"].shape[1:], each.shape, strict=True)]
                pairs.append((np.pad(masks, ((0, 0), *room)), labels))
            outputs["mask_labels"], outputs["class_labels"] = map(list, zip(*pairs, strict=True))
        return outputs

    preprocess = __call__

    def _target_size(self, height, width, options):
        size, divisor = super()._target_size(height, width, options), options.size_divisor or 1
        longest = options.size.get("longest_edge")
        if longest is not None:
            edge = options.size["shortest_edge"]
            if longest <= edge:
                raise ValueError(f"the longest_edge of size must exceed the shortest_edge: got {options.size}")
            if max(size) > longest:
                short = int(longest * edge / max(size))
                size = (short, longest) if height < width else (longest, short)
        return tuple(math.ceil(side / divisor) * divisor for side in size)

    def padded_labels(self, outputs, count=None):
        """The outputs of a call with maps -> a dict of arrays for `fit`: class_labels int32 (B, N), -100 where there is
        no object, and mask_labels uint8 (B, N, h, w).

        count: N, at least the most objects of a picture, which is the default. One for all batches saves compiling.
        """
        names = ("class_labels", "mask_labels")
        rows = [dict(zip(names, each, strict=True)) for each in zip(*(outputs[name] for name in names), strict=True)]
        return {
            "class_labels": padded_rows("class_labels", rows, count, PADDING),
            "mask_labels": padded_rows("mask_labels", rows, count).astype(np.uint8),
        }

    def post_process_semantic_segmentation(self, outputs, target_sizes=None):
        """`class_queries_logits` (B, Q, classes + 1) and `masks_queries_logits` (B, Q, h, w) -> for each picture the
        classes, int32 (384, 384) or of `target_sizes`, B sizes (h, w)."""
        return query_class_maps(*_predictions(outputs), target_sizes)

    def post_process_instance_segmentation(
        self,
        outputs,
        threshold=0.5,
        mask_threshold=0.5,
        overlap_mask_area_threshold=0.8,
        target_sizes=None,
        return_coco_annotation=False,
        return_binary_maps=False,
    ):
        """The same outputs -> for each picture {"segmentation": the id of each pixel's segment, int32 (384, 384) or of
        the target size, -1 for none, "segments_info": [{id, label_id, was_fused, score}]}, the surest class first.

        threshold: the least score, of the class times the mask. mask_threshold, overlap_mask_area_threshold: unused,
            as in Transformers. return_coco_annotation: a list of runs instead, one for each id in the map.
            return_binary_maps: a mask (h, w) for each segment instead, if there are any.
        """
        if return_coco_annotation and return_binary_maps:
            raise ValueError("pass return_coco_annotation or return_binary_maps, not both")
        classes, masks = _predictions(outputs)
        results = []
        for c, m, size in zip(classes, masks, sizes(target_sizes, len(masks)), strict=True):
            segmentation, maps, segments = _instances(softmax(c)[:, :-1], m, size or CANVAS, threshold)
            if return_coco_annotation:
                segmentation = runs_of_segments(segmentation)
            elif return_binary_maps and maps:
                segmentation = np.stack(maps).astype(np.int32)
            results.append({"segmentation": segmentation, "segments_info": segments})
        return results

    def post_process_panoptic_segmentation(
        self,
        outputs,
        threshold=0.5,
        mask_threshold=0.5,
        overlap_mask_area_threshold=0.8,
        label_ids_to_fuse=(),
        target_sizes=None,
    ):
        """The same outputs -> for each picture its segments, see `segments.query_segments`."""
        return query_segments(
            *_predictions(outputs),
            threshold,
            mask_threshold,
            overlap_mask_area_threshold,
            label_ids_to_fuse or (),
            target_sizes,
        )


def _binary_masks(labels, of_ids, options):
    """A map (h, w) -> the masks (N, h, w) of its labels, in rising order, and their classes (N,)."""
    ignored, reduce = options.ignore_index, options.reduce_labels
    if reduce:
        if ignored is None:
            raise ValueError("reduce_labels needs ignore_index, the label that the background gets (255, say)")
        labels = np.where(labels == 0, ignored, labels - 1)
    ids = np.unique(labels)
    ids = ids[ids != ignored] if ignored is not None else ids
    masks = (labels == ids[:, None, None]).astype(np.float32)
    if of_ids is not None:
        lacking = [i for i in (ids + reduce).tolist() if i not in of_ids]
        if lacking:
            raise ValueError(f"instance_id_to_semantic_id lacks {lacking}, which are in the segmentation map")
        ids = np.array([of_ids[i] - reduce for i in (ids + reduce).tolist()])
    return masks, ids.astype(np.int32)


def _predictions(outputs):
    masks = output(outputs, "masks_queries_logits")
    return output(outputs, "class_queries_logits"), resize_bilinear(masks, CANVAS)


def _instances(scores, masks, size, threshold):
    """(Q, classes) and (Q, h, w) -> the map (*size), the masks and the descriptions of the segments.

    As many pairs of query and class as there are queries are looked at; of two at one place the less sure one, which
    comes later, wins."""
    best = np.argsort(-scores, axis=None, kind="stable")[: len(scores)]
    masks = masks[best // scores.shape[1]]
    inside = (masks > 0).astype(np.float32)
    sure = (sigmoid(masks) * inside).sum((1, 2)) / (inside.sum((1, 2)) + np.float32(1e-6))
    segmentation, maps, segments = np.full(size, -1, np.int32), [], []
    found = zip(scores.reshape(-1)[best] * sure, best % scores.shape[1], resize_nearest(inside, size), strict=True)
    for score, label, mask in found:
        if mask.any() and score >= threshold:
            segmentation[mask == 1] = len(segments)
            maps.append(mask)
            segments.append(
                {"id": len(segments), "label_id": int(label), "was_fused": False, "score": round(float(score), 6)}
            )
    return segmentation, maps, segments

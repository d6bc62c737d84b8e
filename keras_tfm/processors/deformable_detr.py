"""Deformable DETR's image processor."""

import numpy as np

from keras_tfm.processors.detection import DetectionProcessor, detections, scaled_corners
from keras_tfm.processors.segmentation import output, sigmoid


class DeformableDetrImageProcessor(DetectionProcessor):
    """Prepares as DETR's does. A query may stand for several classes, each with a score of its own."""

    def post_process_object_detection(self, outputs, threshold=0.5, target_sizes=None, top_k=100):
        """`logits` (B, Q, classes) and `pred_boxes` (B, Q, 4) -> for each picture a dict of those of the `top_k` best
        pairs of query and class that score more than `threshold`, the best first. See `DetectionProcessor`."""
        logits = output(outputs, "logits")
        scores = sigmoid(logits).reshape(len(logits), -1)
        best = np.argsort(-scores, 1, kind="stable")[:, :top_k]
        boxes = scaled_corners(output(outputs, "pred_boxes"), target_sizes)
        queries, labels = best // logits.shape[2], best % logits.shape[2]
        boxes = np.take_along_axis(boxes, queries[..., None], 1)
        return detections(np.take_along_axis(scores, best, 1), labels, boxes, threshold)

"""From queries, each with classes and a mask, to the segments of a picture.

Shapes: B pictures, Q queries, K classes, h w the masks' height and width.
"""

import numpy as np

from keras_tfm.processors.segmentation import class_maps, resize_bilinear, sigmoid, sizes, softmax


def query_class_maps(class_logits, mask_logits, target_sizes=None):
    """(B, Q, K + 1) and (B, Q, h, w) -> for each picture the classes, int32 (h, w): queries vote for their classes."""
    classes, masks = softmax(class_logits)[..., :-1], sigmoid(mask_logits)
    votes = classes.transpose(0, 2, 1) @ masks.reshape(*masks.shape[:2], -1)
    return class_maps(votes.reshape(*votes.shape[:2], *masks.shape[2:]), target_sizes)


def query_segments(
    class_logits,
    mask_logits,
    threshold=0.5,
    mask_threshold=0.5,
    overlap_mask_area_threshold=0.8,
    label_ids_to_fuse=(),
    target_sizes=None,
):
    """(B, Q, K + 1) and (B, Q, h, w) -> for each picture {"segmentation": the id of each pixel's segment, int32 (h, w),
    0 for none or -1 everywhere if there is none at all, "segments_info": [{id, label_id, was_fused, score}]}.

    threshold: the least score of a query's class. overlap_mask_area_threshold: the least part of a query's mask, the
    pixels above mask_threshold, that it has to win against the others. label_ids_to_fuse: classes whose queries make
    one segment together.
    """
    probabilities, masks = softmax(class_logits), sigmoid(mask_logits)
    scores, labels = probabilities.max(-1), probabilities.argmax(-1)
    results = []
    for s, n, m, size in zip(scores, labels, masks, sizes(target_sizes, len(masks)), strict=True):
        keep = (n != class_logits.shape[-1] - 1) & (s > threshold)
        m = m[keep] if size is None else resize_bilinear(m[keep], size)
        result = {"segmentation": np.full(m.shape[1:], -1, np.int32), "segments_info": []}
        if keep.any():
            result = _won(
                m * s[keep][:, None, None],
                s[keep],
                n[keep],
                mask_threshold,
                overlap_mask_area_threshold,
                label_ids_to_fuse,
            )
        results.append(result)
    return results


def _won(weighted, scores, labels, mask_threshold, overlap_threshold, fused):
    """Each pixel goes to the query that weighs most there; queries that keep too little of their mask drop out."""
    winner = weighted.argmax(0)
    segmentation, segments, ids = np.zeros(winner.shape, np.int32), [], {}
    index = 0
    for query, (score, label) in enumerate(zip(scores.tolist(), labels.tolist(), strict=True)):
        won, wanted = winner == query, (weighted[query] >= mask_threshold).sum()
        if not won.any() or not wanted or float(np.float32(won.sum()) / np.float32(wanted)) <= overlap_threshold:
            continue
        index = ids.get(label, index + 1)
        segmentation[won] = index
        segments.append({"id": index, "label_id": label, "was_fused": label in fused, "score": round(score, 6)})
        if label in fused:
            ids[label] = index
    return {"segmentation": segmentation, "segments_info": segments}


def runs_of_segments(segmentation):
    """For each id in a map, in rising order, COCO's [start, length, start, length, ...] along the rows, from 1."""
    runs = []
    for index in np.unique(segmentation):
        inside = np.concatenate([[False], (segmentation == index).reshape(-1), [False]])
        borders = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        borders[1::2] -= borders[::2]
        runs.append(borders.tolist())
    return runs

"""Mask generation: the masks of all there is in a picture, found from a grid of points."""

import numpy as np

from keras_tfm.generation.prompt import cached_program
from keras_tfm.pipelines.picturing import ImagePipeline
from keras_tfm.processors.images import load_image
from keras_tfm.runtime.compiling import program


class MaskGenerationPipeline(ImagePipeline):
    """A picture -> {"masks": a list of bool (h, w), "scores": (masks,)}, the best first.

    Options:
        points_per_batch: how many points the model gets at once; None for all. Default 64.
        points_per_crop: how many points there are along each side. Default 32.
        crops_n_layers: how many times to look closer: layer i cuts the picture into 2^i x 2^i crops besides. Default 0.
        crop_overlap_ratio: by what part of the shorter side those of the first layer overlap. Default 512 / 1500.
        crop_n_points_downscale_factor: by what the points along a side are fewer in each further layer. Default 1.
        pred_iou_thresh: what the model's score of a mask must exceed. Default 0.88.
        stability_score_thresh, stability_score_offset: how alike a mask must remain where its threshold is raised and
            lowered, and by how much. Default 0.95 and 1.
        mask_threshold: above what a pixel belongs to a mask. Default 0.
        crops_nms_thresh: what the boxes of two masks may share; of those that share more the better stays. Default 0.7.
        output_rle_mask, output_bboxes_mask: whether to return rle_mask (a list of {"size", "counts"}, the lengths of
            runs down the columns) and bounding_boxes (masks, 4), too. Default False.
        timeout: see `ImagePipeline`.
    """

    task = "mask-generation"
    auto_class = "AutoModelForMaskGeneration"
    outputs = ("pred_masks",)

    def preprocess(
        self,
        item,
        *,
        points_per_batch=64,
        points_per_crop=32,
        crops_n_layers=0,
        crop_overlap_ratio=512 / 1500,
        crop_n_points_downscale_factor=1,
        pred_iou_thresh=0.88,
        stability_score_thresh=0.95,
        stability_score_offset=1,
        mask_threshold=0,
        timeout=None,
    ):
        if points_per_batch is not None and points_per_batch < 1:
            raise ValueError(f"points_per_batch must be 1 or more, or None for all points, not {points_per_batch}")
        boxes, points, crops, labels = self.image_processor.generate_crop_boxes(
            load_image(item, timeout=timeout),
            self.image_processor.size["longest_edge"],
            crops_n_layers,
            crop_overlap_ratio,
            points_per_crop,
            crop_n_points_downscale_factor,
        )
        encoded = self.image_processor(crops)
        embed = cached_program(self.model, "embed", lambda: program(self.model, _embedding(self.model)))
        kept = (pred_iou_thresh, stability_score_thresh, mask_threshold, stability_score_offset)
        rows, count = [], points_per_batch or points.shape[1]
        for i, box in enumerate(boxes):
            embeddings = embed((), {"pixel_values": encoded["pixel_values"][i : i + 1]})[0]
            rows += [
                {
                    "image_embeddings": embeddings,
                    "input_points": points[0, start : start + count, i : i + 1],
                    "input_labels": labels[0, start : start + count, i : i + 1],
                    "sizes": [encoded[name][i : i + 1] for name in ("original_sizes", "reshaped_input_sizes")],
                    "box": box,
                    "whole": encoded["original_sizes"][0],
                    "kept": kept,
                }
                for start in range(0, points.shape[1], count)
            ]
        return rows

    def model_outputs(self, rows, batch_size):
        """Of each row the masks that are worth keeping: all of them, in the picture's size, would take too much."""
        outputs = self.forward(rows, batch_size)
        return [self._filtered(row, its_outputs) for row, its_outputs in zip(rows, outputs, strict=True)]

    def _filtered(self, row, outputs):
        (originals, resized), (_, _, mask_threshold, _) = row["sizes"], row["kept"]
        [masks] = self.image_processor.post_process_masks(
            outputs["pred_masks"][None], originals, resized, mask_threshold, binarize=False
        )
        masks, scores, boxes = self.image_processor.filter_masks(
            masks, outputs["iou_scores"], row["whole"], row["box"], *row["kept"]
        )
        return {"masks": masks, "scores": scores, "boxes": boxes}

    def postprocess(self, item, rows, *, crops_nms_thresh=0.7, output_rle_mask=False, output_bboxes_mask=False):
        scores, boxes = (np.concatenate([row[name] for row in rows]) for name in ("scores", "boxes"))
        masks, scores, runs, boxes = self.image_processor.post_process_for_mask_generation(
            [mask for row in rows for mask in row["masks"]], scores, boxes, crops_nms_thresh
        )
        asked = {"rle_mask": runs} if output_rle_mask else {}
        return {"masks": masks, "scores": scores} | asked | ({"bounding_boxes": boxes} if output_bboxes_mask else {})


def _embedding(model):
    return lambda _, inputs: model.get_image_embeddings(inputs)

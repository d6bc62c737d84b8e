"""DETR's image processor, which Table Transformer uses too."""

from keras_tfm.processors.detection import DetectionProcessor
from keras_tfm.processors.segmentation import output
from keras_tfm.processors.segments import query_class_maps, query_segments, runs_of_segments


class DetrImageProcessor(DetectionProcessor):
    """Resizes the shorter side to 800, the longer one to no more than 1333, and normalises as for ImageNet."""

    def post_process_semantic_segmentation(self, outputs, target_sizes=None):
        """`logits` (B, Q, classes + 1) and `pred_masks` (B, Q, h, w) -> for each picture the classes, int32 (h, w), in
        the size of the masks or of `target_sizes`, B sizes (h, w)."""
        return query_class_maps(output(outputs, "logits"), output(outputs, "pred_masks"), target_sizes)

    def post_process_instance_segmentation(
        self,
        outputs,
        threshold=0.5,
        mask_threshold=0.5,
        overlap_mask_area_threshold=0.8,
        target_sizes=None,
        return_coco_annotation=False,
    ):
        """The same outputs -> for each picture its segments, see `segments.query_segments`; with
        `return_coco_annotation` the segmentation is a list of runs, one for each id in the map."""
        results = self.post_process_panoptic_segmentation(
            outputs, threshold, mask_threshold, overlap_mask_area_threshold, (), target_sizes
        )
        for result in results:
            if return_coco_annotation and result["segmentation"].min() >= 0:  # else no query was above the threshold
                result["segmentation"] = runs_of_segments(result["segmentation"])
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
            output(outputs, "logits"),
            output(outputs, "pred_masks"),
            threshold,
            mask_threshold,
            overlap_mask_area_threshold,
            label_ids_to_fuse or (),
            target_sizes,
        )

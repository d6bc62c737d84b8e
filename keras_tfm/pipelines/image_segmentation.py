"""Image segmentation: a mask for each class, each thing, or both."""

import numpy as np

from keras_tfm.pipelines.picturing import ImagePipeline, batch_of_one

HEADS = ("AutoModelForImageSegmentation", "AutoModelForUniversalSegmentation", "AutoModelForSemanticSegmentation")


class ImageSegmentationPipeline(ImagePipeline):
    """A picture -> a list of {"score": float or None, "label": str, "mask": a PIL image, 255 where it is}.

    Options:
        subtask: "panoptic", "instance" or "semantic". Default: the first of them that the image processor can do.
        threshold: the score that a segment must exceed. Default 0.9.
        mask_threshold: what a mask must exceed at a pixel. Default 0.5.
        overlap_mask_area_threshold: the share of a mask that must remain where masks overlap. Default 0.5.
        timeout: see `ImagePipeline`.
    """

    task = "image-segmentation"

    @classmethod
    def load_model(cls, source, options):
        from keras_tfm import auto
        from keras_tfm.pipelines.base import hub_options

        config = auto.AutoConfig.from_preset(source, **hub_options(options))
        for head in HEADS:
            try:
                found = getattr(auto, head).class_for(config)
            except ValueError:
                continue
            return found.from_preset(source, **options)
        raise ValueError(f"{config.model_type} has no class for image-segmentation")

    def postprocess(
        self, item, rows, *, subtask=None, threshold=0.9, mask_threshold=0.5, overlap_mask_area_threshold=0.5
    ):
        outputs, sizes = batch_of_one(rows[0]), [rows[0]["size"]]
        labels = self.model.config.id2label
        for kind in ("panoptic", "instance"):
            process = getattr(self.image_processor, f"post_process_{kind}_segmentation", None)
            if subtask in (kind, None) and process is not None:
                [found] = process(
                    outputs,
                    threshold=threshold,
                    mask_threshold=mask_threshold,
                    overlap_mask_area_threshold=overlap_mask_area_threshold,
                    target_sizes=sizes,
                )
                return [
                    {
                        "score": segment["score"],
                        "label": labels[segment["label_id"]],
                        "mask": picture(found["segmentation"] == segment["id"]),
                    }
                    for segment in found["segments_info"]
                ]
        process = getattr(self.image_processor, "post_process_semantic_segmentation", None)
        if subtask not in ("semantic", None) or process is None:
            raise ValueError(
                f"{type(self.image_processor).__name__} does not do subtask={subtask!r}: it does panoptic, instance "
                "or semantic where it has a method post_process_.._segmentation"
            )
        [classes] = process(outputs, target_sizes=sizes)
        return [{"score": None, "label": labels[int(i)], "mask": picture(classes == i)} for i in np.unique(classes)]


def picture(mask):
    """A mask (h, w), bool -> a PIL image, 255 where it is true."""
    from PIL import Image

    return Image.fromarray(mask.astype("uint8") * 255)

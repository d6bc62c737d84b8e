"""Fixtures of the pipelines of pictures: what the reference's answer on small seeded models and seeded pictures.

Run it in an environment with transformers==4.39.3 (see tests/oracle); it writes tests/fixtures/image_pipelines/*.json.
The configurations are those of the recipes, the weights are seeded from their names (seeded.py).
"""

import copy
import importlib
import json
import tempfile
import types
from pathlib import Path

import numpy as np
import torch
import transformers
from image_recipe import picture
from make import packed, seed
from PIL import Image
from transformers.models.sam import image_processing_sam
from transformers.pipelines import video_classification

FIXTURES = Path(__file__).parents[1] / "fixtures" / "image_pipelines"
LOW, HIGH = slice(0, 2), slice(2, 4)
PICTURES = ["rgb:37x53", "grey:30x20"]
LENIENT = {
    "pred_iou_thresh": -9,
    "stability_score_thresh": 0.05,
    "stability_score_offset": 0.01,
    "crops_nms_thresh": 0.95,
    "output_rle_mask": True,
}
SMALL = {"size": {"height": 16, "width": 16}}
SHORT = {"size": {"shortest_edge": 40, "longest_edge": 64}}
MANY = {"threshold": 0.3, "mask_threshold": 0.1, "overlap_mask_area_threshold": 0.01}


def call(inputs, **options):
    return {"inputs": inputs, "options": options}


# name: (task, class, recipe and what differs from its configuration, image processor and its options, calls)
CASES = {
    "classes": (
        "image-classification",
        "ViTForImageClassification",
        ("vit", {"num_labels": 7}),
        ("ViTImageProcessor", SMALL),
        [call(PICTURES[0]), call(PICTURES, top_k=2), call(PICTURES[1], function_to_apply="none")],
    ),
    "one_class": (
        "image-classification",
        "ViTForImageClassification",
        ("vit", {"num_labels": 1}),
        ("ViTImageProcessor", SMALL),
        [call(PICTURES)],
    ),
    "features": (
        "image-feature-extraction",
        "ViTModel",
        ("vit", {}),
        ("ViTImageProcessor", SMALL),
        [call(PICTURES[0]), call(PICTURES, pool=True)],
    ),
    "classes_of_pixels": (
        "image-segmentation",
        "SegformerForSemanticSegmentation",
        ("segformer", {"num_labels": 5}),
        ("SegformerImageProcessor", {"size": {"height": 32, "width": 32}}),
        [call(PICTURES[0]), call(PICTURES, subtask="semantic")],
    ),
    "objects": (
        "object-detection",
        "DetrForObjectDetection",
        ("detr", {"num_queries": 10}),
        ("DetrImageProcessor", SHORT),
        [call(PICTURES[0]), call(PICTURES, threshold=0.8)],
    ),
    "objects_of_tokens": (
        "object-detection",
        "YolosForObjectDetection",
        ("yolos", {"num_detection_tokens": 10}),
        ("YolosImageProcessor", SHORT),
        [call(PICTURES[0], threshold=0.25), call(PICTURES, threshold=0.32)],
    ),
    "segments": (
        "image-segmentation",
        "DetrForSegmentation",
        ("detr", {"num_queries": 10}),
        ("DetrImageProcessor", SHORT),
        [
            call(PICTURES, **MANY),
            call(PICTURES[1], subtask="panoptic", threshold=0.8),
            call(PICTURES[1], subtask="instance", **MANY),
            call(PICTURES[1], subtask="semantic"),
        ],
    ),
    "depth": (
        "depth-estimation",
        "DPTForDepthEstimation",
        ("dpt", {}),
        ("DPTImageProcessor", {"size": {"height": 12, "width": 12}}),
        [call(PICTURES[0])],
    ),
    "depth_of_any_size": (
        "depth-estimation",
        "DepthAnythingForDepthEstimation",
        ("depth_anything", {}),
        ("DPTImageProcessor", SMALL | {"keep_aspect_ratio": True, "ensure_multiple_of": 4}),
        [call(PICTURES)],
    ),
    "videos": (
        "video-classification",
        "VideoMAEForVideoClassification",
        ("videomae", {"num_labels": 6}),
        ("VideoMAEImageProcessor", {"size": {"shortest_edge": 14}, "crop_size": {"height": 12, "width": 12}}),
        [call(PICTURES[0]), call([PICTURES[0], "rgb:20x31"], top_k=2, frame_sampling_rate=3)],
    ),
    "masks": (
        "mask-generation",
        "SamModel",
        ("sam", {}),
        ("SamImageProcessor", {"size": {"longest_edge": 12}, "pad_size": {"height": 12, "width": 12}}),
        [
            call(PICTURES[0], points_per_crop=4, points_per_batch=4, **LENIENT),
            call(PICTURES[1], points_per_crop=4, points_per_batch=8, output_bboxes_mask=True, **LENIENT),
        ],
    ),
}


def write_preset(folder, class_name, recipe, processor):
    """A folder as the Hub has it; returns what its tensors are made of, their shapes and the recipe's factors."""
    module = importlib.import_module(f"recipes.{recipe[0]}")
    config, cls = copy.deepcopy(module.CONFIG | recipe[1]), getattr(transformers, class_name)  # some take it apart
    with torch.no_grad():
        model = cls(cls.config_class(**config)).eval()
    factors = getattr(module, "FACTORS", {})
    model, shapes, _ = seed(model, factors)
    model.save_pretrained(folder)
    getattr(transformers, processor[0])(**processor[1]).save_pretrained(folder)
    return {"tensors": shapes} | ({"factors": factors} if factors else {})


def encoded(value):
    """Pictures and arrays packed, the rest as it is; of floats, the digits that float32 has."""
    if isinstance(value, dict):
        return {key: encoded(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(v) for v in value]
    if isinstance(value, Image.Image):
        return {"picture": packed(np.array(value).astype("int32"))}
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim:
        return {"array": packed(value)}
    value = value.item() if hasattr(value, "item") else value
    return float(f"{value:.8g}") if isinstance(value, float) else value


class Frames:
    """In the place of decord's reader of videos: a picture stands for a video whose frames are its rotations."""

    def __init__(self, name):
        self.name = name

    def seek(self, place):
        pass

    def get_batch(self, places):
        frames = np.stack([np.roll(np.array(picture(self.name)), int(i), axis=0) for i in places])
        return types.SimpleNamespace(asnumpy=lambda: frames)


def batched_nms(boxes, scores, idxs, iou_threshold):
    """As torchvision documents its own, which the reference asks for: the boxes, the best first, that share no more
    than the threshold with a better one."""
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        low, high = (
            f(boxes[i, part], boxes[kept][:, part]) for f, part in ((torch.maximum, LOW), (torch.minimum, HIGH))
        )
        areas = [(b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in (boxes[i], boxes[kept])]
        shared = (high - low).clamp(min=0).prod(-1)
        if not (shared / (areas[0] + areas[1] - shared) > iou_threshold).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def record(task, class_name, recipe, processor, calls):
    with tempfile.TemporaryDirectory() as folder:
        told = write_preset(folder, class_name, recipe, processor)
        pipe = transformers.pipeline(task, folder)
        answers = []
        for each in calls:
            inputs = each["inputs"]
            if task != "video-classification":
                inputs = [picture(n) for n in inputs] if isinstance(inputs, list) else picture(inputs)
            torch.manual_seed(0)
            answers.append({**each, "output": encoded(pipe(inputs, **each["options"]))})
        config, stored = (
            json.loads((Path(folder) / file).read_text()) for file in ("config.json", "preprocessor_config.json")
        )
    return {"task": task, "config": config, "preprocessor_config": stored, **told, "calls": answers}


if __name__ == "__main__":
    video_classification.VideoReader, video_classification.requires_backends = Frames, lambda *_: None
    video_classification.np = np  # which it imports with decord alone
    image_processing_sam.batched_nms = batched_nms
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        path = FIXTURES / f"{name}.json"
        path.write_text(json.dumps(record(*case)) + "\n")
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")

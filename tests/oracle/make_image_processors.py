"""Writes tests/fixtures/image_processors/: what the reference's (slow) image processors make of pictures.

    pip install transformers==4.39.3 torch "numpy<2" pillow==13.0.0      (in a virtual environment of its own)
    python tests/oracle/make_image_processors.py [family ...]

COCO polygons need pycocotools, SAM's mask generation torchvision. The pictures are made from seeds, and of results that
have to be exact a fixture holds the hash.
"""

import copy
import json
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import transformers
from image_recipe import arguments, blobs, digest, model_outputs, pictures, scores, stored

FOLDER = Path(__file__).parents[1] / "fixtures" / "image_processors"
NEAREST, BILINEAR, BICUBIC = 0, 2, 3


def case(config, images="rgb:37x53", maps=None, annotations=None, **options):
    """`annotations`: how many objects each picture has, "keypoints" for five with those, or "panoptic"."""
    more = {"maps": maps, "annotations": annotations}
    return {"config": config, "images": images, "options": options} | {k: v for k, v in more.items() if v is not None}


SMALL = {"size": {"height": 24, "width": 20}}
SHORT = {"size": {"shortest_edge": 24}, "crop_size": {"height": 20, "width": 22}}
CROPPED = SMALL | {"crop_size": {"height": 18, "width": 16}}
EDGES = {"size": {"shortest_edge": 30, "longest_edge": 50}}
WHOLE = {"size": {"shortest_edge": 30, "longest_edge": 60}, "size_divisor": 8, "ignore_index": 255}
INSTANCES = [[0, 5], [1, 7], [2, 7], [3, 9], [4, 20], [5, 5]]  # id, class
HALF = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def square_crops():
    """For a size of height and width, and a crop."""
    return {
        "small": case(CROPPED, ["rgb:37x53", "array:53x37"]),
        "crop_larger": case({**SMALL, "crop_size": {"height": 28, "width": 18}}),
        "uncropped": case({**SMALL, "do_center_crop": False}),
        "former": case({"size": 24, "crop_size": 16, "resample": BILINEAR, **HALF}),
        "overruled": case(CROPPED, size={"height": 30, "width": 30}, crop_size={"height": 5, "width": 7}),
    }


def edge_crops():
    """For a size by the shortest edge, and a crop."""
    return {
        "wide": case(SHORT, "rgb:37x53"),
        "tall": case(SHORT, "array:53x37"),
        "square": case(SHORT, "rgb:40x40"),
        "crop_larger": case({**SHORT, "crop_size": {"height": 30, "width": 22}}),
        "uncropped": case({**SHORT, "do_center_crop": False}, "first:37x53"),
        "former": case({"size": 24, "crop_size": 16, "resample": BILINEAR}),
        "rectangle": case(CROPPED),
        "overruled": case(SHORT, size={"shortest_edge": 30}, crop_size={"height": 5, "width": 7}),
        "unnormalised": case(SHORT, do_normalize=False),
    }


def conversions():
    """To RGB."""
    forms = ["grey", "rgba", "grey-alpha", "palette", "bits"]
    return {form: case(SHORT, f"{form}:37x53") for form in forms} | {
        "forms": case(SHORT, [f"{f}:37x53" for f in forms])
    }


def detections():
    """DETR's and those of its successors."""
    two = ["rgb:37x53", "rgb:60x40"]
    return {
        "defaults": case({}),
        "batch": case(EDGES, two),
        "former": case({"size": 30, "max_size": 40}, two),
        "former_size": case({"size": 30, "pad_and_return_pixel_mask": False}),
        "rectangle": case(SMALL, two, annotations=[3, 4]),
        "square": case(EDGES, ["array:50x50", "array:30x30"]),
        "unpadded": case({**EDGES, "do_pad": False}, annotations=[4]),
        "unresized": case({"do_resize": False}, two, annotations=[5, 2]),
        "last": case(EDGES, two, data_format="channels_last"),
        "annotations": case(EDGES, two, annotations=[5, 3]),
        "no_objects": case(EDGES, two, annotations=[0, 3]),
        "keypoints": case(EDGES, annotations=["keypoints"]),
        "masks": case(EDGES, two, annotations=[7, 4], return_segmentation_masks=True),
        "pixels": case({**EDGES, "do_convert_annotations": False}, two, annotations=[5, 3]),
        "unnormalised": case({**EDGES, "do_normalize": False}, two, annotations=[5, 3]),
        "panoptic": case({**EDGES, "format": "coco_panoptic"}, two, annotations=["panoptic", "panoptic"]),
        "panoptic_boxes": case(
            EDGES, two, annotations=["panoptic"] * 2, format="coco_panoptic", return_segmentation_masks=False
        ),
    }


RECIPES = {
    "vit": (
        "ViTImageProcessor",
        {
            "defaults": case({}),
            "forms": case(SMALL, ["rgb:37x53", "array:53x37", "whole:24x24"]),
            "zero_to_one": case(SMALL, ["floats:30x31", "rgb:40x20"], do_rescale=False),
            "channels_first": case(SMALL, ["first:20x30", "first:30x20"]),
            "doubles": case(SMALL, "doubles-first:40x20", do_rescale=False),
            "half": case(SMALL, "half:30x31", do_rescale=False),
            "zero_to_one_unresized": case(SMALL, "floats:30x31", do_rescale=False, do_resize=False),
            "scaled_twice": case(SMALL, "floats:30x31"),
            "unresized": case({"do_resize": False}, ["array:9x9", "rgb:9x9"]),
            "bytes": case(SMALL, do_rescale=False, do_normalize=False),
            "unscaled": case(SMALL, do_rescale=False),
            "batch": case(SMALL, "batch of 2 array:9x9"),
            "former": case({"size": 24, "feature_extractor_type": "ViTFeatureExtractor", **HALF}),
            "pair": case({"size": [24, 20]}),
            "overruled": case(SMALL, size={"height": 9, "width": 10}, resample=NEAREST, image_mean=[0.1, 0.2, 0.3]),
            "one_mean": case(SMALL, image_mean=0.4, image_std=0.3),
            "last": case(SMALL, data_format="channels_last"),
            "told": case(SMALL, "array:3x9", input_data_format="channels_last"),
            "ambiguous": case(SMALL, "first:37x3"),
            "bicubic": case({**SMALL, "resample": BICUBIC}),
            "lanczos": case({**SMALL, "resample": 1}),
            "box": case({**SMALL, "resample": 4}),
            "hamming": case({**SMALL, "resample": 5}),
            "larger": case({**SMALL, "rescale_factor": 0.5}, "rgb:5x6"),
            "one_channel": case(SMALL, "one-channel:20x30", image_mean=[0.5], image_std=[0.5]),
        },
    ),
    "deit": ("DeiTImageProcessor", {"defaults": case({}), **square_crops()}),
    "beit": (
        "BeitImageProcessor",
        {
            "defaults": case({}, maps="map:37x53"),
            **square_crops(),
            "maps": case(CROPPED, ["rgb:37x53", "rgb:30x40"], maps=["map:37x53", "map-image:30x40"]),
            "reduced": case({**CROPPED, "do_reduce_labels": True, "resample": NEAREST}, maps="void-map:37x53"),
            "former_name": case({**CROPPED, "reduce_labels": True}, maps="map-image:37x53"),
            "reduced_by_call": case(CROPPED, maps="map:37x53", do_reduce_labels=True, do_center_crop=False),
            "unresized": case({**CROPPED, "do_resize": False}, maps="map:37x53"),
        },
    ),
    "bit": ("BitImageProcessor", {"defaults": case({}), **edge_crops(), **conversions()}),
    "clip": (
        "CLIPImageProcessor",
        {"defaults": case({}), **edge_crops(), **conversions(), "square": case({**SHORT, "use_square_size": True})},
    ),
    "convnext": (
        "ConvNextImageProcessor",
        {
            "defaults": case({}),
            "cropped": case({"size": {"shortest_edge": 24}}, ["rgb:37x53", "rgb:53x37", "rgb:10x10"]),
            "crop_pct": case({"size": 24, "crop_pct": 0.95, "resample": BICUBIC}),
            "crop_pct_by_call": case({"size": 24}, crop_pct=0.5),
            "flat": case({"size": {"shortest_edge": 24}}, "rgb:9x60"),
        },
    ),
    "mobilenet_v2": ("MobileNetV2ImageProcessor", {"defaults": case({}), **edge_crops()}),
    "mobilevit": (
        "MobileViTImageProcessor",
        {
            "defaults": case({}, "rgb:37x57"),
            **{k: v for k, v in edge_crops().items() if k != "unnormalised"},
            "maps": case(SHORT, ["rgb:37x53", "rgb:53x37"], maps=["map:37x53", "map-image:53x37"]),
            "rgb": case({**SHORT, "do_flip_channel_order": False}),
            "padded": case({"size": {"shortest_edge": 24}, "crop_size": {"height": 30, "width": 40}}, maps="map:37x53"),
        },
    ),
    "efficientnet": (
        "EfficientNetImageProcessor",
        {
            "defaults": case({}),
            **square_crops(),
            "cropped": case({**CROPPED, "do_center_crop": True}),
            "offset": case({**SMALL, "rescale_offset": True, "rescale_factor": 1 / 127.5, "do_normalize": False}),
            "without_top": case({**SMALL, "include_top": False}),
            "top_alone": case({**SMALL, "do_normalize": False, "do_rescale": False}),
        },
    ),
    "segformer": (
        "SegformerImageProcessor",
        {
            "defaults": case({}, maps="map:37x53"),
            "maps": case(SMALL, ["rgb:37x53", "rgb:30x40"], maps=["map:37x53", "map-image:30x40"]),
            "reduced": case({**SMALL, "do_reduce_labels": True}, maps="void-map:37x53"),
            "former_name": case({**SMALL, "reduce_labels": True}, maps="map-image:37x53"),
            "unresized": case({"do_resize": False}, maps="map:37x53"),
        },
    ),
    "poolformer": (
        "PoolFormerImageProcessor",
        {
            "defaults": case({}),
            **edge_crops(),
            "whole": case({**SHORT, "crop_pct": None}),
            "whole_rectangle": case({**CROPPED, "crop_pct": None}),
            "rectangle": case(CROPPED),
            "square": case({**SHORT, "size": {"height": 24, "width": 24}, "crop_pct": 0.95}),
        },
    ),
    "dpt": (
        "DPTImageProcessor",
        {
            "defaults": case({}),
            "small": case(SMALL),
            "multiples": case({**SMALL, "ensure_multiple_of": 14}),
            "ratio": case({**SMALL, "keep_aspect_ratio": True}),
            "ratio_tall": case({**SMALL, "keep_aspect_ratio": True, "ensure_multiple_of": 7}, "rgb:53x20"),
            "ratio_wide": case({"size": {"height": 40, "width": 60}, "keep_aspect_ratio": True}, "rgb:30x50"),
            "half_way": case({"size": {"height": 21, "width": 35}, "ensure_multiple_of": 14}),  # rounds to even
            "padded": case({**SMALL, "do_pad": True, "size_divisor": 14}),
            "padded_unresized": case({"do_resize": False, "do_pad": True, "size_divisor": 16}),
        },
    ),
    "videomae": (
        "VideoMAEImageProcessor",
        {
            "defaults": case({}, ["rgb:37x53", "rgb:37x53"]),
            **edge_crops(),
            "videos": case(SHORT, [["rgb:37x53", "rgb:38x53"], ["array:53x37", "array:37x53"]]),
            "frames": case(SHORT, ["first:37x53", "first:20x30", "first:30x20"]),
            "rectangle": case(CROPPED),
        },
    ),
    "detr": ("DetrImageProcessor", detections()),
    "yolos": ("YolosImageProcessor", detections()),
    "deformable_detr": (
        "DeformableDetrImageProcessor",
        {k: detections()[k] for k in ("defaults", "masks", "panoptic")},
    ),
}

ONE = ["rgb:37x53"]
RECIPES["mask2former"] = (
    "Mask2FormerImageProcessor",
    {
        "defaults": case({}),
        "batch": case(WHOLE, ["rgb:37x53", "rgb:60x40"]),
        "bounded": case({**WHOLE, "size": {"shortest_edge": 30, "longest_edge": 40}}, ["rgb:20x60", "array:60x20"]),
        "former": case({"size": 30, "max_size": 40, "size_divisibility": 16}, ["rgb:37x53", "rgb:60x40"]),
        "rectangle": case({**WHOLE, "size": {"height": 24, "width": 20}}, ["rgb:37x53", "rgb:60x40"]),
        "undivided": case({**WHOLE, "size_divisor": 0}),
        "overruled": case(WHOLE, size=20, size_divisor=16),
        "unresized": case({**WHOLE, "do_resize": False}, ONE, maps=["map:37x53"]),
        "maps": case(WHOLE, ["rgb:37x53", "rgb:74x106"], maps=["map:37x53", "map-image:74x106"]),
        "ignored": case({**WHOLE, "ignore_index": 3}, ONE, maps=["map:37x53"]),
        "reduced": case({**WHOLE, "reduce_labels": True}, ONE, maps=["map:37x53"]),
        "instances": case(WHOLE, ONE, maps=["map:37x53"], instance_id_to_semantic_id=INSTANCES),
        "reduced_instances": case(
            {**WHOLE, "reduce_labels": True}, ONE, maps=["map:37x53"], instance_id_to_semantic_id=[INSTANCES]
        ),
    },
)

TINY = {"size": {"longest_edge": 32}, "pad_size": {"height": 32, "width": 36}}
TINY_MAPS = {"mask_size": {"longest_edge": 16}, "mask_pad_size": {"height": 16, "width": 20}}
RECIPES["sam"] = (
    "SamImageProcessor",
    {
        "defaults": case({}, maps="map:37x53"),
        "tiny": case(TINY, ["rgb:37x53", "rgb:60x40"]),
        "maps": case({**TINY, **TINY_MAPS}, ["rgb:37x53", "rgb:60x40"], maps=["map:37x53", "map-image:60x40"]),
        "former": case({"size": 32, "pad_size": 40, "mask_size": 16, "mask_pad_size": 20}, maps="map:37x53"),
        "unpadded": case({**TINY, "do_pad": False}),
        "unresized": case({"do_resize": False, "pad_size": 64}, ["array:37x53", "array:60x40"]),
        "overruled": case(TINY, size=24, pad_size={"height": 24, "width": 24}),
    },
)
POINTS = [[[20.5, 30], [3, 4]], [[39, 59], [7, 8.25]]]
RAGGED = [[[20.5, 30], [3, 4]], [[39, 59]]]  # the reference can fill up by one point only
PROMPTS = [
    {"input_points": POINTS},
    {"input_points": POINTS, "input_labels": [[1, 0], [1, 1]]},
    {"input_points": RAGGED, "input_labels": [[1, 0], [0]]},
    {"input_points": [[POINTS[0], POINTS[1]], [POINTS[1], POINTS[0]]], "input_labels": [[[1, 0], [1, 1]]] * 2},
    {"input_boxes": [[[3, 4, 20.3, 30], [1, 2, 50, 36]], [[0, 0, 40, 60], [5, 6, 7, 8]]]},
    {"input_boxes": [[[3, 4, 20, 30]], [[0, 0, 40, 60]]], "input_points": POINTS, "input_labels": [[1, 0], [1, 1]]},
]
CROPS = [{}, {"crop_n_layers": 1}, {"crop_n_layers": 2, "overlap_ratio": 0.2, "points_per_crop": 3}]


def sam():
    """What SAM's processors make of prompts, masks and crops."""
    processor = transformers.SamImageProcessor(**TINY)
    pair = ["rgb:37x53", "rgb:60x40"]
    images = pictures(pair)
    prompts = []
    for each in PROMPTS:
        out = transformers.SamProcessor(processor)(images, **copy.deepcopy(each), return_tensors="pt")
        prompts.append({"given": each, "expected": {k: digest(out[k].numpy()) for k in each}})
    several = transformers.SamProcessor(processor)(images[0], input_points=[[[5, 6]], [[7, 8]]], return_tensors="pt")

    masks = [torch.from_numpy(each) for each in blobs("masks", (2, 1, 2, 8, 9))]
    original, new = [[17, 23], [20, 14]], [[24, 32], [32, 22]]
    resized = {
        key: stored([m.numpy() for m in processor.post_process_masks(list(masks), original, new, **options)])
        for key, options in {"defaults": {}, "numbers": {"binarize": False}, "strict": {"mask_threshold": 2.0}}.items()
    }
    crops = []
    for options in CROPS:
        boxes, points, cropped, labels = processor.generate_crop_boxes(images[0], 32, **options)
        arrays = {"boxes": boxes.numpy(), "points": points.numpy().astype("float32"), "labels": labels.numpy()}
        crops.append({"options": options, "images": [list(c.shape) for c in cropped], **digests(arrays)})

    found, all_masks, all_scores, all_boxes = [], [], [], []
    for box, options in FILTERS:
        shape = (12, 3, box[3] - box[1], box[2] - box[0])
        masks = torch.from_numpy(blobs(str(box), shape))
        iou = torch.from_numpy(scores(str(box), shape[:2], 1).clip(0, 1))
        got = processor.filter_masks(masks, iou, (80, 90), torch.tensor(box), **options)
        runs = [{"size": list(r["size"]), "counts": [int(c) for c in r["counts"]]} for r in got[0]]
        rest = {"scores": got[1].numpy(), "boxes": got[2].numpy()}
        found.append({"box": box, "shape": shape, "options": options, "runs": runs, **digests(rest)})
        all_masks, all_scores, all_boxes = all_masks + runs, [*all_scores, got[1]], [*all_boxes, got[2]]
    last = []
    for threshold in (0.1, 0.5, 0.9):
        got = processor.post_process_for_mask_generation(
            all_masks, torch.cat(all_scores), torch.cat(all_boxes), threshold
        )
        arrays = {"scores": got[1].numpy(), "boxes": got[3].numpy(), "masks": np.stack(got[0])}
        last.append({"threshold": threshold, "kept": [all_masks.index(r) for r in got[2]], **digests(arrays)})
    return {
        "processor": TINY,
        "images": pair,
        "prompts": prompts,
        "several": digest(several["input_points"].numpy()),
        "resized": resized,
        "crops": crops,
        "found": found,
        "last": last,
    }


FILTERS = [
    ([0, 0, 90, 80], {"pred_iou_thresh": 0.3, "stability_score_thresh": 0.3}),
    ([0, 0, 90, 50], {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.4, "mask_threshold": 2.0}),
    ([20, 20, 90, 80], {"pred_iou_thresh": 0.1, "stability_score_thresh": 0.0, "stability_score_offset": 2}),
]


def digests(arrays):
    return {key: digest(array) for key, array in arrays.items()}


def results(method, outputs, config=None, **options):
    return {"method": method, "config": config or {}, "outputs": outputs, "options": options}


TARGETS = [[20, 31], [14, 9]]
CLASSES = {"logits": [2, 5, 7, 9]}
BOXES = {"logits": [2, 9, 5], "pred_boxes": [2, 9, 4]}
MASKS = {"logits": [2, 9, 5], "pred_masks": [2, 9, 12, 16]}
FEW = {"logits": [2, 2, 60], "pred_masks": [2, 2, 12, 16]}
QUERIES = {"class_queries_logits": [2, 9, 5], "masks_queries_logits": [2, 9, 12, 16]}
SURE = {"class_queries_logits": [2, 3, 200], "masks_queries_logits": [2, 3, 12, 16]}  # PyTorch sorts so few of so many
INSTANCE_OPTIONS = (
    {},
    {"target_sizes": TARGETS},
    {"target_sizes": TARGETS, "return_coco_annotation": True},
    {"target_sizes": TARGETS, "return_binary_maps": True},
)
SEMANTIC, DETECTION = "post_process_semantic_segmentation", "post_process_object_detection"
INSTANCE, PANOPTIC = "post_process_instance_segmentation", "post_process_panoptic_segmentation"

semantic = [results(SEMANTIC, CLASSES), results(SEMANTIC, CLASSES, target_sizes=TARGETS)]
boxes = [
    results(DETECTION, BOXES),
    results(DETECTION, BOXES, threshold=0.8, target_sizes=TARGETS),
    results(DETECTION, BOXES, threshold=0.999),
    results(DETECTION, BOXES, threshold=0.0),
]


def segments(masks, few):
    fused = {"threshold": 0.3, "overlap_mask_area_threshold": 0.2, "label_ids_to_fuse": [0, 1, 2]}
    return [
        results(SEMANTIC, masks),
        results(SEMANTIC, masks, target_sizes=TARGETS),
        results(INSTANCE, masks),
        results(INSTANCE, masks, threshold=0.4, target_sizes=TARGETS, return_coco_annotation=True),
        results(PANOPTIC, masks, threshold=0.3),
        results(PANOPTIC, masks, **fused),
        results(PANOPTIC, masks, **fused, target_sizes=TARGETS),
        results(PANOPTIC, masks, threshold=0.99),
        results(PANOPTIC, few, threshold=0.9, target_sizes=TARGETS),
    ]


RESULTS = {
    **dict.fromkeys(("beit", "segformer", "mobilevit", "mobilenet_v2", "dpt"), semantic),
    "detr": boxes + segments(MASKS, FEW),
    "yolos": boxes,
    "mask2former": [
        *(each for each in segments(QUERIES, SURE) if each["method"] != INSTANCE),
        *(results(INSTANCE, SURE, threshold=0.01, **options) for options in INSTANCE_OPTIONS),
        results(INSTANCE, SURE, threshold=0.999, return_binary_maps=True),
    ],
    "deformable_detr": [*boxes, results(DETECTION, BOXES, threshold=0.1, top_k=7)],
}


def record(family):
    name, cases = RECIPES[family]
    made = {}
    for key, each in cases.items():
        processor = getattr(transformers, name)(**each["config"])
        with tempfile.TemporaryDirectory() as folder:
            images, options = arguments(each, Path(folder))
            out = processor(images, **options, return_tensors="np")
        saved = json.loads(processor.to_json_string())
        for private in ("_valid_processor_keys", "_max_size"):
            saved.pop(private, None)
        made[key] = each | {"saved": saved, "expected": expected(out)}
    return {"class": name, "cases": made, "results": [processed(name, each) for each in RESULTS.get(family, ())]}


def processed(name, each):
    """What a post-processing method makes of seeded outputs."""
    outputs = {key: torch.from_numpy(array) for key, array in model_outputs(each["outputs"]).items()}
    method = getattr(getattr(transformers, name)(**each["config"]), each["method"])
    return each | {"expected": stored(arrays(method(SimpleNamespace(**outputs), **each["options"])))}


def arrays(value):
    """Tensors as NumPy arrays, also within dicts and lists."""
    if isinstance(value, dict):
        return {key: arrays(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [arrays(each) for each in value]
    return (
        value.numpy() if isinstance(value, torch.Tensor) else value.item() if isinstance(value, np.generic) else value
    )


def expected(out):
    labels = {}
    if isinstance(out.get("labels"), list):  # of dicts
        labels["labels"] = [expected(label) for label in out.pop("labels")]
    for key in ("mask_labels", "class_labels"):
        if isinstance(out.get(key), list):  # one a picture
            labels[key] = [digest(each.numpy()) for each in out.pop(key)]
    arrays = {key: np.asarray(value) for key, value in out.items()}
    return {k: digest(v.astype("float32") if k == "pixel_values" else v) for k, v in arrays.items()} | labels


def lines(recorded):
    """JSON, one case a line."""
    cases = ",\n".join(f"{json.dumps(key)}: {json.dumps(made)}" for key, made in recorded["cases"].items())
    results = ",\n".join(map(json.dumps, recorded["results"]))
    return f'{{"class": "{recorded["class"]}", "cases": {{\n{cases}\n}}, "results": [\n{results}\n]}}\n'


def main(families):
    FOLDER.mkdir(exist_ok=True)
    for family in families or RECIPES:
        if family == "sam":
            (FOLDER / "masks").mkdir(exist_ok=True)
            (FOLDER / "masks/sam.json").write_text(json.dumps(sam()) + "\n")
        (FOLDER / f"{family}.json").write_text(lines(record(family)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])

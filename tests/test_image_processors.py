"""Image processors against the reference's recorded outputs, and `load_image` against files, servers and damage.

Nothing here depends on the backend.
"""

import base64
import http.server
import importlib
import io
import json
import socket
import sys
import threading
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_tfm as kt
from keras_tfm import processors
from keras_tfm.processors import load_frames, load_image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "oracle"))
from image_recipe import (  # noqa: E402
    arguments,
    blobs,
    coco,
    digest,
    model_outputs,
    panoptic,
    picture,
    pictures,
    scores,
    unpacked,
)

FIXTURES = HERE / "fixtures" / "image_processors"


@cache
def fixture(family):
    return json.loads((FIXTURES / f"{family}.json").read_text())


CASES = [(path.stem, name) for path in sorted(FIXTURES.glob("*.json")) for name in fixture(path.stem).get("cases", ())]


def class_of(family):
    return getattr(processors, fixture(family)["class"])


def called(processor, case, folder):
    images, options = arguments(case, folder)
    return processor(images, **options)


def same(ours, expected):
    """Arrays, also within dicts and lists, are equal."""
    if isinstance(expected, list):
        assert len(ours) == len(expected)
        for mine, theirs in zip(ours, expected, strict=True):
            same(mine, theirs)
    elif "sha256" in expected:
        assert digest(ours) == expected
    else:
        assert set(ours) - {"size"} == set(expected) - {"size"}  # the reference does not always tell it
        for name, theirs in expected.items():
            same(ours[name], theirs)


@pytest.mark.filterwarnings("ignore:the pixels seem")
@pytest.mark.parametrize(("family", "name"), CASES)
def test_equals_the_reference(family, name, tmp_path):
    case = fixture(family)["cases"][name]
    outputs = called(class_of(family)(**case["config"]), case, tmp_path)
    same(outputs, case["expected"])
    assert all(value.dtype in ("float32", "int32") for value in outputs.values() if not isinstance(value, list))


@pytest.mark.parametrize(("family", "name"), CASES)
def test_has_the_reference_s_configuration(family, name):
    case = fixture(family)["cases"][name]
    assert class_of(family)(**case["config"]).to_dict() == case["saved"]


@pytest.mark.filterwarnings("ignore:the pixels seem")
@pytest.mark.parametrize(("family", "name"), [(f, n) for f, n in CASES if n != "defaults"][::4])
def test_reads_and_writes_the_reference_s_json(family, name, tmp_path):
    case = fixture(family)["cases"][name]
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(case["saved"] | {"unheard_of": [1]}))
    processor = class_of(family).from_preset(tmp_path)
    same(called(processor, case, tmp_path), case["expected"])
    processor.save_preset(tmp_path / "new")
    assert json.loads((tmp_path / "new/preprocessor_config.json").read_text()) == case["saved"] | {"unheard_of": [1]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["preprocessor_config.json"]


# ---------------------------------------------------------------------- outputs of models

RESULTS = [
    (path.stem, i) for path in sorted(FIXTURES.glob("*.json")) for i in range(len(fixture(path.stem)["results"]))
]


def near(ours, theirs):
    """Whole numbers are equal, others to 1e-6."""
    if isinstance(theirs, dict) and "sha256" in theirs:
        assert digest(ours) == theirs
        assert ours.dtype == "int32" or ours.dtype.kind == "f"
    elif isinstance(theirs, dict) and "data" in theirs:
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours, unpacked(theirs), rtol=1e-6, atol=1e-6)
    elif isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for key, value in theirs.items():
            near(ours[key], value)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for mine, value in zip(ours, theirs, strict=True):
            near(mine, value)
    else:
        assert ours == pytest.approx(theirs, abs=2e-6)


@pytest.mark.parametrize(("family", "index"), RESULTS)
def test_makes_of_outputs_what_the_reference_makes(family, index):
    case = fixture(family)["results"][index]
    method = getattr(class_of(family)(**case["config"]), case["method"])
    near(method(model_outputs(case["outputs"]), **case["options"]), case["expected"])


def test_outputs_may_be_the_logits_alone_or_tensors():
    torch = importlib.import_module("torch")
    logits = model_outputs({"logits": [2, 5, 7, 9]})["logits"]
    processor = processors.BeitImageProcessor()
    forms = [logits, {"logits": logits}, torch.tensor(logits).requires_grad_(), logits.astype("float64")]
    [first, *others] = [processor.post_process_semantic_segmentation(form, [(8, 8)] * 2) for form in forms]
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_outputs_and_sizes_that_do_not_fit():
    logits = np.zeros((2, 5, 7, 9), "float32")
    semantic = processors.BeitImageProcessor().post_process_semantic_segmentation
    for bad in ([(3, 3)], [(3, 3)] * 3, [(3, 3, 3)] * 2):
        with pytest.raises(ValueError, match="target_sizes must be 2 pairs"):
            semantic(logits, bad)
    with pytest.raises(ValueError, match=r"the shape \(B, K, h, w\)"):
        semantic(logits[0])
    with pytest.raises(ValueError, match="no 'pred_boxes', only logits"):
        processors.DetrImageProcessor().post_process_object_detection({"logits": logits[0]})


# ---------------------------------------------------------------------- labels


def detr(**options):
    return processors.DetrImageProcessor(size={"shortest_edge": 20, "longest_edge": 30}, **options)


def test_labels_for_fit_are_fixed_arrays():
    images = [picture("rgb:37x53"), picture("rgb:60x40")]
    batch = detr()(images, [coco("rgb:37x53", 4), coco("rgb:60x40", 2)], return_segmentation_masks=True)
    for count, given in ((4, None), (6, 6)):
        labels = detr().padded_labels(batch["labels"], count=given)
        assert labels["class_labels"].shape == (2, count)
        assert labels["boxes"].shape == (2, count, 4)
        assert labels["masks"].shape == (2, count, *batch["pixel_mask"].shape[1:])
        for i, (real, n) in enumerate(zip(batch["labels"], (4, 2), strict=True)):
            assert (labels["class_labels"][i, n:] == -100).all()
            for key, array in labels.items():
                np.testing.assert_array_equal(array[i, :n], real[key])
                assert key == "class_labels" or not array[i, n:].any()
    assert {key: array.dtype for key, array in labels.items()} == {
        "class_labels": "int32",
        "boxes": "float32",
        "masks": "uint8",
    }
    with pytest.raises(ValueError, match="a picture has 4 objects, more than count=3"):
        detr().padded_labels(batch["labels"], count=3)


def test_segmentation_labels_for_fit_are_fixed_arrays():
    processor = processors.Mask2FormerImageProcessor(size=(8, 8), size_divisor=16, ignore_index=255)
    images, maps = [picture("rgb:37x53"), picture("rgb:60x40")], [picture("map:37x53"), picture("map:60x40")]
    maps[1][maps[1] > 2] = 2
    batch = processor(images, maps)
    for count, given in ((6, None), (8, 8)):
        labels = processor.padded_labels(batch, count=given)
        assert labels["class_labels"].tolist() == [
            [0, 1, 2, 3, 4, 5] + [-100] * (count - 6),
            [0, 1, 2] + [-100] * (count - 3),
        ]
        assert labels["mask_labels"].shape == (2, count, 16, 16)
        np.testing.assert_array_equal(labels["mask_labels"][1, :3], batch["mask_labels"][1])
        assert not labels["mask_labels"][1, 3:].any()


def test_masks_are_padded_with_nothing():
    processor = processors.Mask2FormerImageProcessor(size=20, size_divisor=1, ignore_index=255)
    batch = processor([picture("rgb:20x20"), picture("rgb:30x20")], [picture("map:20x20"), picture("map:30x20")])
    assert batch["pixel_mask"][0, 20:].sum() == 0 < batch["pixel_mask"][1, 20:].sum()
    assert not batch["mask_labels"][0][
        :, 20:
    ].any()  # the reference writes ignore_index there: no loss of it makes sense
    assert (batch["mask_labels"][0][:, :20].sum(0) == 1).all()


def test_segmentation_maps_that_do_not_fit():
    image, labels = picture("rgb:37x53"), picture("map:37x53")
    processor = processors.Mask2FormerImageProcessor(size=20)
    with pytest.raises(ValueError, match="reduce_labels needs ignore_index"):
        processor(image, labels, reduce_labels=True)
    with pytest.raises(ValueError, match=r"instance_id_to_semantic_id lacks \[0, 4, 5\]"):
        processor(image, labels, {1: 1, 2: 2, 3: 3})
    with pytest.raises(ValueError, match="has 2 dicts for 1 pictures"):
        processor(image, labels, [{}, {}])
    with pytest.raises(ValueError, match="longest_edge of size must exceed"):
        processor(image, size={"shortest_edge": 20, "longest_edge": 20})
    empty = processor(image, np.full_like(labels, 9), ignore_index=9)
    assert empty["mask_labels"][0].shape == (0, 32, 32)
    assert empty["class_labels"][0].shape == (0,)
    with pytest.raises(ValueError, match="not both"):
        processor.post_process_instance_segmentation({}, return_coco_annotation=True, return_binary_maps=True)


def test_annotations_that_do_not_fit(tmp_path):
    image, good = picture("rgb:9x9"), coco("rgb:9x9", 2)
    without = [{key: value for key, value in good["annotations"][0].items() if key != "area"}]
    for bad, message in (
        ([good, good], "2 annotations for 1 pictures"),
        ({"image_id": 1}, "a list 'annotations': got one of image_id"),
        ({"annotations": []}, "a dict of image_id and a list"),
        ([3], "got int"),
        ({"image_id": 1, "annotations": without}, "lacks area"),
    ):
        with pytest.raises(ValueError, match=message):
            detr()(image, bad)
    good["annotations"][0]["segmentation"] = "packed"
    with pytest.raises(ValueError, match="list of polygons"):
        detr()(image, good, return_segmentation_masks=True)
    with pytest.raises(ValueError, match="format must be 'coco_detection' or 'coco_panoptic'"):
        detr()(image, good, format="yolo")
    segments = panoptic("rgb:9x9", tmp_path)
    with pytest.raises(ValueError, match="masks_path"):
        detr(format="coco_panoptic")(image, segments)
    with pytest.raises(ValueError, match="rgb-9x9.png is 9 x 9, its picture 8 x 9"):
        detr(format="coco_panoptic")(picture("rgb:8x9"), segments, masks_path=tmp_path)


def test_maps_that_do_not_fit():
    image, beit = picture("rgb:9x9"), processors.BeitImageProcessor(size=8)
    for bad in (picture("map:2x9")[None, None], [picture("map:9x9")] * 2, picture("rgb:9x9"), []):
        with pytest.raises(ValueError, match="segmentation_maps must be 1 of shape"):
            beit(image, bad)
    for good in (picture("map:9x9"), [picture("map:9x9")], picture("map:9x9")[None], picture("map-image:9x9")):
        assert beit(image, good)["labels"].shape == (1, 224, 224)
    with pytest.raises(ValueError, match="labels of one batch must have one size"):
        beit([image] * 2, [picture("map:9x9"), picture("map:8x9")], do_resize=False, do_center_crop=False)


def test_videos_that_do_not_fit():
    videos = processors.VideoMAEImageProcessor(size=8, crop_size=8)
    one, two = [picture("rgb:9x9")], [picture("rgb:9x9")] * 2
    with pytest.raises(ValueError, match="one number of frames"):
        videos([one, two])
    for empty in ([], [[]], [one, []]):
        with pytest.raises(ValueError, match="an empty batch"):
            videos(empty)
    array = np.stack([np.asarray(image) for image in two])
    expected = videos([two])["pixel_values"]
    assert expected.shape == (1, 2, 3, 8, 8)
    for same_video in (two, array, [array], array[None]):
        np.testing.assert_array_equal(videos(same_video)["pixel_values"], expected)
    np.testing.assert_array_equal(videos(one[0])["pixel_values"], expected[:, :1])


# ---------------------------------------------------------------------- SAM

SAM = json.loads((FIXTURES / "masks" / "sam.json").read_text())


def sam():
    return processors.SamImageProcessor(**SAM["processor"])


@pytest.mark.parametrize("case", SAM["prompts"])
def test_prompts_move_with_the_picture(case):
    outputs = processors.SamProcessor(sam())(pictures(SAM["images"]), **case["given"])
    same({key: outputs[key] for key in case["given"]}, case["expected"])
    arrays = {key: [np.asarray(row, "float32") for row in rows] for key, rows in case["given"].items()}
    again = processors.SamProcessor(sam())(pictures(SAM["images"]), **arrays)
    for key in case["given"]:
        np.testing.assert_allclose(again[key], outputs[key], rtol=1e-6)
        assert outputs[key].dtype == ("int32" if key == "input_labels" else "float32")


def test_several_prompts_for_one_picture():
    outputs = processors.SamProcessor(sam())(picture(SAM["images"][0]), input_points=[[[5, 6]], [[7, 8]]])
    assert digest(outputs["input_points"]) == SAM["several"]


def test_prompts_that_do_not_fit():
    images, processor = pictures(SAM["images"]), processors.SamProcessor(sam())
    for given, message in (
        ({"input_points": [[1, 2], [3, 4]]}, r"input_points must be a list with \[\[x, y\], \.\.\.\] for each"),
        ({"input_points": [[[1, 2, 3]]] * 2}, "input_points must be"),
        ({"input_points": [[[1, 2], [3, 4]], [[1, 2]]]}, "with input_labels, points are filled up"),
        ({"input_points": [[[1, 2]]] * 2, "input_labels": [[1, 0]] * 2}, "one label for each"),
        ({"input_boxes": [[1, 2, 3, 4]] * 2}, "input_boxes must be"),
        ({"input_boxes": [[[1, 2, 3, 4]], [[1, 2, 3, 4]] * 2]}, "input_boxes must have the same shape"),
        ({"input_labels": 3}, "input_labels must be"),
    ):
        with pytest.raises(ValueError, match=message):
            processor(images, **given)
    with pytest.raises(ValueError, match="cannot pad a picture of 22 x 32 to 9 x 9, which is smaller"):
        sam()(images[0], pad_size=9)
    with pytest.raises(ValueError, match="longest_edge alone"):
        sam()(images[0], size={"height": 9, "width": 9})


def test_joint_processor_s_preset(tmp_path):
    kt.SamProcessor(sam()).save_preset(tmp_path)
    assert json.loads((tmp_path / "preprocessor_config.json").read_text())["processor_class"] == "SamProcessor"
    assert kt.SamProcessor.from_preset(tmp_path).image_processor.size == {"longest_edge": 32}
    assert kt.AutoImageProcessor.from_preset(tmp_path).pad_size == {"height": 32, "width": 36}


@pytest.mark.parametrize(
    ("name", "options"), [("defaults", {}), ("numbers", {"binarize": False}), ("strict", {"mask_threshold": 2.0})]
)
def test_masks_in_the_picture_s_size(name, options):
    masks = blobs("masks", (2, 1, 2, 8, 9))
    sizes = np.array([[17, 23], [20, 14]]), np.array([[24, 32], [32, 22]])
    for processor in (sam(), processors.SamProcessor(sam())):
        results = processor.post_process_masks(masks, *sizes, **options)
        for ours, theirs in zip(results, SAM["resized"][name], strict=True):
            if "data" in theirs:
                np.testing.assert_allclose(ours, unpacked(theirs), rtol=1e-5, atol=1e-5)
            else:
                assert digest(ours) == theirs
            assert ours.dtype == ("float32" if name == "numbers" else "bool")


@pytest.mark.parametrize("case", SAM["crops"])
def test_crops_to_look_for_masks_in(case):
    boxes, points, crops, labels = sam().generate_crop_boxes(picture(SAM["images"][0]), 32, **case["options"])
    assert [list(crop.shape) for crop in crops] == case["images"]
    same({"boxes": boxes, "points": points, "labels": labels}, {k: case[k] for k in ("boxes", "points", "labels")})
    with pytest.raises(ValueError, match="crop_n_points_downscale_factor=1"):
        sam().generate_crop_boxes(picture("rgb:9x9"), 32, crop_n_layers=1, crop_n_points_downscale_factor=2)


def test_masks_worth_keeping():
    all_runs, all_scores, all_boxes = [], [], []
    for case in SAM["found"]:
        masks = blobs(str(case["box"]), case["shape"])
        iou = scores(str(case["box"]), case["shape"][:2], 1).clip(0, 1)
        runs, kept, boxes = sam().filter_masks(
            masks, iou, (80, 90), np.array(case["box"], "float32"), **case["options"]
        )
        assert runs == case["runs"]
        same({"scores": kept, "boxes": boxes}, {key: case[key] for key in ("scores", "boxes")})
        all_runs, all_scores, all_boxes = all_runs + runs, [*all_scores, kept], [*all_boxes, boxes]
    all_scores, all_boxes = np.concatenate(all_scores), np.concatenate(all_boxes)
    for case in SAM["last"]:
        masks, kept, runs, boxes = sam().post_process_for_mask_generation(
            all_runs, all_scores, all_boxes, case["threshold"]
        )
        assert runs == [all_runs[i] for i in case["kept"]]
        same(
            {"masks": np.stack(masks), "scores": kept, "boxes": boxes},
            {k: case[k] for k in ("masks", "scores", "boxes")},
        )


def test_masks_that_are_empty_or_full():
    masks = np.stack([np.full((1, 8, 9), 5.0), np.full((1, 8, 9), -5.0)]).astype("float32")
    runs, kept, boxes = sam().filter_masks(masks, np.ones((2, 1), "float32"), (8, 9), [0, 0, 9, 8], 0, 0)
    assert [each["counts"] for each in runs] == [[0, 72], [72]]
    assert boxes.tolist() == [[0, 0, 8, 7], [0, 0, 0, 0]]
    nothing = sam().filter_masks(masks[:0], kept[:0, None], (8, 9), [0, 0, 9, 8])
    assert [len(each) for each in nothing] == [0, 0, 0]
    assert [len(each) for each in sam().post_process_for_mask_generation(*nothing, 0.7)] == [0, 0, 0, 0]


# ---------------------------------------------------------------------- options


def vit(**options):
    return processors.ViTImageProcessor(size=8, **options)


def test_options_overrule_one_after_the_other(tmp_path):
    vit(image_mean=[0.1, 0.2, 0.3]).save_preset(tmp_path)
    processor = processors.ViTImageProcessor.from_preset(tmp_path, size=(6, 7))
    assert processor.size == {"height": 6, "width": 7}
    assert processor.image_mean == [0.1, 0.2, 0.3]
    image = picture("rgb:9x9")
    assert processor(image)["pixel_values"].shape == (1, 3, 6, 7)
    assert processor(image, size=5)["pixel_values"].shape == (1, 3, 5, 5)
    processor.size = 3
    assert processor(image)["pixel_values"].shape == (1, 3, 3, 3)
    assert processors.ViTImageProcessor().size["height"] == 224


def test_null_in_the_configuration():
    nothing = dict.fromkeys(processors.ConvNextImageProcessor.defaults)
    processor = processors.ConvNextImageProcessor(**nothing)
    assert processor.size == {"shortest_edge": 384}
    assert processor.crop_pct == 224 / 256
    assert processor.resample == 2
    outputs = processor(picture("rgb:9x9"))["pixel_values"]  # and nothing is to be done
    np.testing.assert_array_equal(outputs[0].transpose(1, 2, 0), np.asarray(picture("rgb:9x9")))
    assert processors.PoolFormerImageProcessor(crop_pct=None).crop_pct is None


def test_former_names_of_options_count():
    assert processors.BeitImageProcessor(reduce_labels=True, do_reduce_labels=False).do_reduce_labels
    assert not detr(pad_and_return_pixel_mask=False, do_pad=True).do_pad
    assert "pixel_mask" not in detr()(picture("rgb:9x9"), pad_and_return_pixel_mask=False)
    small = processors.DetrImageProcessor()(picture("rgb:9x30"), size=8, max_size=20)
    assert small["pixel_values"].shape == (1, 3, 6, 20)


def test_unknown_options_are_refused_with_the_one_that_is_meant(tmp_path):
    vit().save_preset(tmp_path)
    with pytest.raises(TypeError, match="no option 'do_resise'; did you mean 'do_resize'"):
        vit()(picture("rgb:9x9"), do_resise=False)
    with pytest.raises(TypeError, match="no option 'annotation'; did you mean 'annotations'"):
        detr()(picture("rgb:9x9"), annotation={})
    with pytest.raises(TypeError, match="no option 'imagemean'; did you mean 'image_mean'"):
        processors.ViTImageProcessor.from_preset(tmp_path, imagemean=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": {"height": 3}}, "size must be a number"),
        ({"size": {"longest_edge": 3}}, "size must have height and width, or shortest_edge"),
        ({"data_format": "first"}, "data_format must be"),
        ({"input_data_format": "first"}, "input_data_format must be"),
        ({"image_mean": [0.5]}, "image_mean has 1 values and the picture 3 channels"),
        ({"return_tensors": "pt"}, "NumPy arrays"),
        ({"resample": 17}, "resampling filter"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        vit()(picture("rgb:9x9"), **options)


@pytest.mark.parametrize("form", ["grey", "rgba", "grey-alpha", "palette", "bits", "deep"])
def test_only_rgb_unless_told_to_convert(form):
    image = picture(f"{form}:9x10")
    with pytest.raises(ValueError, match=r"3 channels.*convert\('RGB'\)"):
        vit()(image)


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 4), (9, 9, 2), (2, 2, 9, 9, 3), (9,)])
def test_arrays_of_other_shapes(shape):
    with pytest.raises(ValueError, match="channels"):
        vit()(np.zeros(shape, "uint8"))


def test_values_outside_the_range():
    for bad in (np.full((9, 9, 3), 300, "uint16"), np.full((9, 9, 3), -1), np.full((9, 9, 3), 1.5)):
        with pytest.raises(ValueError, match="pixels must be whole numbers in 0..255 or floats in 0..1"):
            vit()(bad)
    holes = np.zeros((9, 9, 3), "float32")
    holes[0] = np.nan
    with pytest.raises(ValueError, match=r"nan\.\.nan"):
        vit()(holes)


def test_what_is_no_picture():
    with pytest.raises(ValueError, match="an empty batch"):
        vit()([])
    for bad in ("cat.png", b"cat", None, [["cat.png"]], [picture("rgb:9x9"), "cat.png"]):
        with pytest.raises(TypeError, match="load_image"):
            vit()(bad)


def test_sizes_of_a_batch_have_to_agree():
    with pytest.raises(ValueError, match="pixel_values of one batch must have one size and would have 5 x 4, 9 x 9"):
        vit()([picture("rgb:9x9"), picture("rgb:5x4")], do_resize=False)


@pytest.mark.parametrize(("side", "crop"), [(5, 8), (6, 8), (5, 9), (4, 9), (9, 4)])
def test_crops_have_the_size_asked_for(side, crop):
    """The reference's lack a row and a column where an odd number of them is missing on an even size."""
    image = picture(f"rgb:{side}x{side}")
    processor = processors.DeiTImageProcessor(do_resize=False, crop_size=crop, do_rescale=False, do_normalize=False)
    ours = processor(image)["pixel_values"][0].transpose(1, 2, 0)
    assert ours.shape == (crop, crop, 3)
    if crop > side:
        before = (crop - side) // 2
        np.testing.assert_array_equal(ours[before : before + side, before : before + side], np.asarray(image))
        assert ours.sum() == np.asarray(image).sum()


def test_scaled_twice_is_told():
    with pytest.warns(UserWarning, match="do_rescale=False"):
        vit()(picture("floats:9x9"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vit()(np.zeros((9, 9, 3), "uint8"))  # dark, but not scaled


def test_layouts_may_differ_within_a_list():
    one, other = picture("rgb:9x9"), picture("first:9x9")
    both = vit()([one, other])["pixel_values"]
    np.testing.assert_array_equal(both, np.concatenate([vit()(image)["pixel_values"] for image in (one, other)]))


def test_pictures_are_left_as_they_were():
    array, labels = picture("array:9x9"), picture("map:9x9")
    before = array.copy(), labels.copy()
    vit(do_resize=False, do_rescale=False)(array)["pixel_values"][:] = 7
    processors.BeitImageProcessor(size=8, do_reduce_labels=True)(array, labels)
    np.testing.assert_array_equal(array, before[0])
    np.testing.assert_array_equal(labels, before[1])


@pytest.mark.parametrize("library", ["torch", "tensorflow", "jax.numpy"])
def test_tensors_of_other_libraries(library):
    module = importlib.import_module(library)
    array = picture("array:9x10")
    tensor = {"torch": "tensor", "tensorflow": "constant", "jax.numpy": "array"}[library]
    ours = vit()([getattr(module, tensor)(array)])["pixel_values"]
    np.testing.assert_array_equal(ours, vit()(array)["pixel_values"])


def test_tensors_in_bfloat16():
    torch = importlib.import_module("torch")
    tensor = torch.tensor(picture("floats:9x10")).to(torch.bfloat16).requires_grad_()
    ours = vit()(tensor, do_rescale=False)["pixel_values"]
    np.testing.assert_array_equal(ours, vit()(tensor.detach().float().numpy(), do_rescale=False)["pixel_values"])


# ---------------------------------------------------------------------- names and presets


def test_former_and_lazy_names():
    assert processors.ViTFeatureExtractor is processors.ViTImageProcessor
    assert kt.ViTImageProcessor is processors.ViTImageProcessor is kt.ViTFeatureExtractor
    with pytest.raises(AttributeError, match="NoSuchImageProcessor"):
        kt.NoSuchImageProcessor  # noqa: B018


def test_every_architecture_s_processor_exists():
    for model_type, name in processors.SERVED_BY.items():
        assert processors.image_processor_for(model_type).__name__ == name
    assert processors.image_processor_for("vit") is processors.ViTImageProcessor
    assert processors.image_processor_for("bert") is None


@pytest.mark.parametrize(
    ("stored", "model_type", "name"),
    [
        ({"image_processor_type": "ViTImageProcessor"}, "dpt", "ViTImageProcessor"),
        ({"image_processor_type": "ViTImageProcessorFast"}, "dpt", "ViTImageProcessor"),
        ({"feature_extractor_type": "ViTFeatureExtractor"}, "dpt", "ViTImageProcessor"),
        ({}, "vit", "ViTImageProcessor"),
        ({}, "swinv2", "ViTImageProcessor"),
        ({}, "dinov2", "BitImageProcessor"),
    ],
)
def test_auto_finds_the_class(stored, model_type, name, tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(stored | {"size": 9}))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    processor = kt.AutoImageProcessor.from_preset(tmp_path, image_mean=[0.1, 0.2, 0.3])
    assert type(processor).__name__ == name
    assert 9 in processor.size.values()
    assert processor.image_mean == [0.1, 0.2, 0.3]


def test_auto_reads_the_files_of_newer_versions(tmp_path):
    nested = {"image_processor": {"image_processor_type": "ViTImageProcessorFast", "size": {"height": 9, "width": 8}}}
    (tmp_path / "processor_config.json").write_text(json.dumps(nested))
    assert kt.AutoImageProcessor.from_preset(tmp_path).size == {"height": 9, "width": 8}


def test_presets_that_tell_nothing(tmp_path):
    for load in (kt.AutoImageProcessor.from_preset, processors.ViTImageProcessor.from_preset):
        with pytest.raises(FileNotFoundError, match=r"preprocessor_config\.json"):
            load(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        kt.AutoImageProcessor.from_preset(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"image_processor_type": "MyImageProcessor"}')
    with pytest.raises(ValueError, match="'MyImageProcessor'"):
        kt.AutoImageProcessor.from_preset(tmp_path)


# ---------------------------------------------------------------------- load_image


def same_picture(ours, image):
    assert ours.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(image.convert("RGB")))


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "a picture.png"
    picture("rgb:12x17").save(path)
    return path


@pytest.mark.parametrize("form", ["rgb", "grey", "rgba", "grey-alpha", "palette", "bits", "deep"])
def test_loads_files_of_every_mode(form, tmp_path):
    image = picture(f"{form}:12x17")
    image.save(tmp_path / "it.png")
    same_picture(load_image(tmp_path / "it.png"), image)
    same_picture(load_image(image), image)


def test_loads_from_everywhere(png):
    image, data = picture("rgb:12x17"), png.read_bytes()
    encoded = base64.b64encode(data).decode()
    arrays = [np.asarray(image), np.asarray(image).transpose(2, 0, 1), np.asarray(image).astype("float64")]
    for source in (str(png), png, data, bytearray(data), encoded, f"data:image/png;base64,{encoded}", *arrays):
        same_picture(load_image(source), image)
    grey = picture("grey:5x6")
    same_picture(load_image(np.asarray(grey)), grey)
    half = load_image(np.full((4, 4, 3), 0.5))
    assert half.getpixel((0, 0)) == (127, 127, 127)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation, tmp_path):
    image = picture("rgb:3x4")
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "it.png", exif=exif)
    pixels = np.asarray(image)
    upright = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels.transpose(1, 0, 2)[:, ::-1],
        7: pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: pixels.transpose(1, 0, 2)[::-1],
    }
    np.testing.assert_array_equal(np.asarray(load_image(tmp_path / "it.png")), upright[orientation])
    raw = vit(do_resize=False, do_rescale=False, do_normalize=False)(Image.open(tmp_path / "it.png"))["pixel_values"]
    np.testing.assert_array_equal(raw[0].transpose(1, 2, 0), pixels)


def test_what_is_no_picture_is_named(tmp_path, png):
    text = tmp_path / "notes.png"
    text.write_text("no picture at all")
    for source in (text, str(text), text.read_bytes(), base64.b64encode(text.read_bytes()).decode()):
        with pytest.raises(ValueError, match="not a picture that Pillow can read"):
            load_image(source)
    with pytest.raises(FileNotFoundError, match=r"'no\.png' is no file, no http\(s\) URL and no base64"):
        load_image("no.png")
    with pytest.raises(FileNotFoundError, match="no such picture"):
        load_image(tmp_path / "no.png")
    for bad in (3, None, [png]):
        with pytest.raises(TypeError, match="a picture is a path, a URL"):
            load_image(bad)
    with pytest.raises(ValueError, match="3 channels"):
        load_image(np.zeros((5, 5, 7), "uint8"))


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "webp", "tiff"])
def test_truncated_files_are_named(kind, tmp_path):
    whole = io.BytesIO()
    picture("rgb:64x64").save(whole, kind)
    path = tmp_path / f"it.{kind}"
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    with pytest.raises(ValueError, match=r"it\.\w+' is (damaged or truncated|not a picture)"):
        load_image(path)


def test_truncated_pictures_that_are_open_already(png):
    png.write_bytes(png.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged or truncated"):
        load_image(Image.open(png))


def test_pillow_s_limit_of_pixels_holds(png, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    with pytest.raises(ValueError, match=r"a picture.png' is too large: .*MAX_IMAGE_PIXELS"):
        load_image(png)


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"keras-tfm\[vision\]"):
        load_image("it.png")
    with pytest.raises(ImportError, match=r"keras-tfm\[vision\]"):
        vit()(np.zeros((9, 9, 3), "uint8"))


def test_frames():
    frames = np.stack([picture("array:5x6"), picture("array:5x6")[::-1]])
    for frame, array in zip(load_frames(frames), frames, strict=True):
        np.testing.assert_array_equal(np.asarray(frame), array)
    assert len(load_frames([picture("rgb:5x6"), picture("grey:5x6")])) == 2
    for bad in ([], np.zeros((0, 5, 6, 3)), "film.mp4"):
        with pytest.raises(ValueError, match="at least one frame"):
            load_frames(bad)


@pytest.fixture
def server():
    """The address of a server on this machine that has /picture, /moved, /text and /slow."""
    data = io.BytesIO()
    picture("rgb:12x17").save(data, "png")
    asleep = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answers = {"/picture": (200, data.getvalue()), "/text": (200, b"<html>"), "/moved": (302, b"")}
            if self.path == "/slow":
                asleep.wait(20)
            status, body = answers.get(self.path, (404, b"no such page"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/picture")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    asleep.set()
    httpd.shutdown()
    httpd.server_close()


def test_loads_urls(server):
    for path in ("/picture", "/moved"):
        same_picture(load_image(server + path), picture("rgb:12x17"))
    with pytest.raises(ConnectionError, match=r"/none cannot be fetched \(status 404\)"):
        load_image(server + "/none")
    with pytest.raises(ValueError, match="/text is not a picture"):
        load_image(server + "/text")
    with pytest.raises(ConnectionError, match=r"timed out.*timeout=0\.2 s"):
        load_image(server + "/slow", timeout=0.2)


def test_servers_that_are_not_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionError, match="cannot be fetched"):
        load_image(f"http://127.0.0.1:{port}/picture", timeout=2)
    with pytest.raises(ConnectionError, match="cannot be fetched"):
        load_image("http://")

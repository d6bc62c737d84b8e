"""Pipelines of pictures answer what the reference's do, on the same folders (fixtures: oracle/image_pipelines.py)."""

import base64
import functools
import http.server
import io
import json
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from image_recipe import picture
from model_fixtures import unpacked, weights
from PIL import Image
from safetensors.numpy import save_file

import keras_tfm as kt

FIXTURES = Path(__file__).parent / "fixtures" / "image_pipelines"
CASES = sorted(path.stem for path in FIXTURES.glob("*.json"))


@functools.cache
def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """The folders of all cases."""
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    for name, folder in folders.items():
        recorded = fixture(name)
        factors = recorded.get("factors", ())
        tensors = {t: weights(t, tuple(shape), factors) for t, shape in recorded["tensors"].items()}
        save_file(tensors, folder / "model.safetensors")
        for file in ("config", "preprocessor_config"):
            (folder / f"{file}.json").write_text(json.dumps(recorded[file]))
    return folders


@pytest.fixture(scope="module")
def classifier(presets):
    return kt.pipeline("image-classification", str(presets["classes"]), batch_size=2)


def given(task, name):
    """What the reference was given."""
    if task != "video-classification":
        return picture(name)
    frames = [np.roll(np.array(picture(name)), i, axis=0) for i in range(20)]
    return np.stack(frames)


def assert_same(ours, reference, where):
    """Equal in structure, in every key; floats to 1e-6 + 1e-4 |reference|; of pictures all but one value in 200."""
    if isinstance(reference, dict) and set(reference) == {"picture"}:
        expected = unpacked(reference["picture"])
        assert isinstance(ours, Image.Image), where
        assert np.array(ours).shape == expected.shape, where
        assert np.mean(np.abs(np.array(ours).astype(int) - expected) > 1) < 0.005, where
    elif isinstance(reference, dict) and set(reference) == {"array"}:
        np.testing.assert_allclose(ours, unpacked(reference["array"]), rtol=1e-4, atol=1e-4, err_msg=where)
    elif isinstance(reference, dict):
        assert list(ours) == list(reference), where
        for key in reference:
            assert_same(ours[key], reference[key], f"{where}[{key!r}]")
    elif isinstance(reference, list):
        assert len(ours) == len(reference), f"{where}: {ours!r:.300} is not {reference!r:.300}"
        for i, pair in enumerate(zip(ours, reference, strict=True)):
            assert_same(*pair, f"{where}[{i}]")
    elif isinstance(reference, float):
        assert abs(ours - reference) <= 1e-5 + 1e-4 * abs(reference), f"{where}: {ours} is not {reference}"
    else:
        assert type(ours) is type(reference), where
        assert ours == reference, where


@pytest.mark.parametrize("name", CASES)
def test_answers_as_the_reference(name, presets):
    recorded = fixture(name)
    task = recorded["task"]
    pipe = kt.pipeline(task, str(presets[name]), batch_size=2)
    for number, call in enumerate(recorded["calls"]):
        inputs, several = call["inputs"], isinstance(call["inputs"], list)
        result = pipe([given(task, n) for n in inputs] if several else given(task, inputs), **call["options"])
        assert_same(result, call["output"], f"{name} call {number}")


def test_the_task_is_told_by_the_head(presets):
    assert kt.pipeline(model=str(presets["classes"])).task == "image-classification"


def test_pictures_come_from_anywhere(classifier, tmp_path):
    image = picture("rgb:37x53")
    expected = classifier(image)
    path = tmp_path / "picture.png"
    image.save(path)
    data = path.read_bytes()
    for source in (str(path), path, data, base64.b64encode(data).decode(), np.array(image)):
        assert_same(classifier(source), expected, type(source).__name__)
    assert_same(classifier([str(path), image]), [expected, expected], "list")
    assert_same(list(classifier(x for x in [image, image])), [expected, expected], "generator")


def test_pictures_are_fetched(classifier, tmp_path):
    picture("rgb:37x53").save(tmp_path / "picture.png")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        fetched = classifier(f"{address}/picture.png", timeout=10)
        assert_same(fetched, classifier(picture("rgb:37x53")), "url")
        with pytest.raises(ConnectionError, match=r"missing\.png"):
            classifier(f"{address}/missing.png")
        server.shutdown()


def test_pictures_are_turned_upright(classifier):
    lying, exif = picture("rgb:37x53").transpose(Image.Transpose.ROTATE_90), Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees, clockwise
    file = io.BytesIO()
    lying.save(file, "png", exif=exif)
    assert_same(classifier(file.getvalue()), classifier(picture("rgb:37x53")), "turned")


def test_what_is_no_picture_is_named(classifier, tmp_path):
    path = tmp_path / "picture.png"
    picture("rgb:37x53").save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"picture\.png.*truncated"):
        classifier(str(path))
    with pytest.raises(ValueError, match="not a picture"):
        classifier(b"hello")
    with pytest.raises(TypeError, match="a picture is a path"):
        classifier(3.5)


def test_an_image_processor_must_be_there(classifier):
    with pytest.raises(TypeError, match="image_processor="):
        kt.pipeline("image-classification", classifier.model)
    pipe = kt.pipeline("image-classification", classifier.model, image_processor=classifier.image_processor)
    assert_same(pipe(picture("rgb:37x53")), classifier(picture("rgb:37x53")), "objects")


def test_masks_are_also_looked_for_in_crops(presets):
    """Which the reference's pipeline fails at: it takes the crops for a batch of pictures, and their points for one."""
    pipe, image = kt.pipeline("mask-generation", str(presets["masks"])), picture("rgb:37x53")
    rows = pipe.preprocess(image, points_per_crop=4, crops_n_layers=1)
    assert len(rows) == 5
    for row in rows:
        left, top, right, bottom = map(int, row["box"])
        pixels = pipe.image_processor(image.crop((left, top, right, bottom)))["pixel_values"]
        embeddings = keras.ops.convert_to_numpy(pipe.model.get_image_embeddings({"pixel_values": pixels}))
        np.testing.assert_allclose(row["image_embeddings"], embeddings[0], rtol=1e-4, atol=1e-4)
    found = pipe(image, points_per_crop=4, crops_n_layers=1, pred_iou_thresh=-9, stability_score_thresh=0)
    assert all(mask.shape == (37, 53) for mask in found["masks"])

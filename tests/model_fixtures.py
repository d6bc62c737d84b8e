"""Reads the fixtures of tests/fixtures/models and makes presets of them."""

import base64
import functools
import json
import sys
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "oracle"))
from seeded import weights  # noqa: E402

FOLDER = HERE / "fixtures" / "models"


def cases():
    """All (file, class name) pairs, e.g. ("bert/absolute", "BertModel")."""
    files = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in sorted(FOLDER.glob("*/*.json"))]
    return [(file, name) for file in files for name in fixture(file)["classes"]]


@functools.cache
def fixture(file):
    return json.loads((FOLDER / f"{file}.json").read_text())


def unpacked(value):
    """Arrays from what the oracle packed; lists of them as lists, dicts as dicts."""
    if isinstance(value, list):
        return [unpacked(v) for v in value]
    if "named" in value:
        return {name: unpacked(v) for name, v in value["named"].items()}
    if "seeded" in value:
        return weights(value["seeded"], tuple(value["shape"]))
    data = base64.b64decode(value["data"])
    return np.frombuffer(data, value["dtype"]).reshape(value["shape"])


def state(file, name):
    """The tensors of the reference's checkpoint: {name: array}."""
    recorded = fixture(file)["classes"][name]
    constants = {tensor: unpacked(value) for tensor, value in recorded.get("constants", {}).items()}
    factors = fixture(file).get("factors", ())
    seeded = {tensor: weights(tensor, tuple(shape), factors) for tensor, shape in recorded["tensors"].items()}
    return seeded | constants


def write_preset(folder, file, name):
    """A folder as the Hub has it: config.json and model.safetensors."""
    config = fixture(file)["config"] | {"architectures": [name]}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(state(file, name), folder / "model.safetensors", {"format": "pt"})
    return folder


def flat(outputs, name="logits"):
    """The outputs by the reference's names, as NumPy arrays; a lone tensor has none of its own."""
    outputs = outputs if isinstance(outputs, dict) else {name: outputs}
    return {k: keras.tree.map_structure(keras.ops.convert_to_numpy, v) for k, v in outputs.items()}


def assert_close(ours, reference, where="", tokens=None):
    """|ours - reference| <= 1e-4 (1 + |reference|); `tokens` (B, T) says which positions count."""
    if isinstance(reference, dict):
        for name, expected in reference.items():
            assert_close(ours[name], expected, f"{where}[{name}]", tokens)
        return
    if isinstance(reference, list):
        assert len(ours) == len(reference), where
        for i, pair in enumerate(zip(ours, reference, strict=True)):
            assert_close(*pair, f"{where}[{i}]", tokens)
        return
    assert ours.shape == reference.shape, where
    if tokens is not None and ours.shape[:2] == tokens.shape:
        ours, reference = ours[tokens], reference[tokens]
    np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-4, err_msg=where)

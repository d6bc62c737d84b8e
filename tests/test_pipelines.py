"""Pipelines answer what the reference's do, on the same folders (fixtures: tests/oracle/pipelines.py)."""

import copy
import importlib.util
import json
import types
from pathlib import Path

import numpy as np
import pytest
from model_fixtures import weights
from safetensors.numpy import save_file

import keras_tfm as kt
from keras_tfm.pipelines.base import Pipeline

FIXTURES = Path(__file__).parent / "fixtures" / "pipelines"
CASES = ("features", "fill_mask", "classes", "regression", "multi_label", "entities", "answers")
HEADS = {"fill_mask": "MaskedLM", "entities": "TokenClassification", "answers": "QuestionAnswering"}


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def write_preset(folder, name):
    recorded = fixture(name)
    save_file({t: weights(t, tuple(shape)) for t, shape in recorded["tensors"].items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(recorded["config"]))
    (folder / "tokenizer_config.json").write_text(json.dumps(recorded["tokenizer_config"]))
    (folder / "vocab.txt").write_text("\n".join(fixture("vocab")) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """The folders of all cases."""
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    for name, folder in folders.items():
        write_preset(folder, name)
    return folders


@pytest.fixture(scope="module")
def pipes(presets):
    """The pipelines of all cases."""
    return {name: kt.pipeline(fixture(name)["task"], str(folder)) for name, folder in presets.items()}


def assert_same(ours, reference, where):
    """Equal in structure, in every key and type; floats to 1e-5 + 1e-4 |reference|."""
    if isinstance(ours, np.ndarray):
        ours = ours.tolist()
    assert type(ours) is type(reference), f"{where}: {ours!r} is not {reference!r}"
    if isinstance(reference, dict):
        assert list(ours) == list(reference), where
        for key in reference:
            assert_same(ours[key], reference[key], f"{where}[{key!r}]")
    elif isinstance(reference, list):
        assert len(ours) == len(reference), f"{where}: {ours!r} is not {reference!r}"
        for i, pair in enumerate(zip(ours, reference, strict=True)):
            assert_same(*pair, f"{where}[{i}]")
    elif isinstance(reference, float):
        assert abs(ours - reference) <= 1e-5 + 1e-4 * abs(reference), f"{where}: {ours} is not {reference}"
    else:
        assert ours == reference, where


@pytest.mark.filterwarnings("ignore:.*(deprecated|not in the vocabulary)")
@pytest.mark.parametrize("name", CASES)
def test_answers_as_the_reference(name, pipes):
    pipe = pipes[name]
    for number, call in enumerate(fixture(name)["calls"]):
        fresh = copy.copy(pipe)  # to compile the model once
        fresh.options = call["at_construction"]
        inputs, options = call["inputs"], call["options"]
        if inputs is None:
            result = fresh(**options)
        elif call["generator"]:
            result = fresh((item for item in inputs), **options)
            assert isinstance(result, types.GeneratorType)
            result = list(result)
        else:
            result = fresh(inputs, **options)
        assert_same(result, call["output"], f"{name} call {number}: {inputs!r:.60} {options}")

"""`model.generate` against the reference's, token by token, for every strategy."""

import json
from pathlib import Path

import numpy as np
import pytest
from model_fixtures import weights
from safetensors.numpy import save_file

import keras_tfm as kt

FOLDER = Path(__file__).parent / "fixtures" / "generation" / "models"
FIXTURES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CALLS = [(model, name) for model, fixture in FIXTURES.items() for name in fixture["calls"]]


@pytest.fixture(scope="module")
def model(request, tmp_path_factory):
    fixture = FIXTURES[request.param]
    folder = tmp_path_factory.mktemp("preset")
    (folder / "config.json").write_text(json.dumps(fixture["config"]))
    tensors = {name: weights(name, tuple(shape)) for name, shape in fixture["tensors"].items()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return getattr(kt, fixture["class"]).from_preset(folder)


@pytest.mark.parametrize(("model", "name"), CALLS, indirect=["model"], ids=["-".join(call) for call in CALLS])
def test_equals_the_reference(model, name, request):
    call = FIXTURES[request.node.callspec.params["model"]]["calls"][name]
    inputs = {key: np.array(value) for key, value in call["inputs"].items()}
    outputs = model.generate(inputs, return_dict_in_generate=True, output_scores=True, **call["options"])
    assert outputs["sequences"].tolist() == call["sequences"]
    highest = np.array([scores.max(-1) for scores in outputs["scores"]])
    np.testing.assert_allclose(highest, call["highest"], rtol=1e-4, atol=1e-4)
    if "sequences_scores" in call:
        np.testing.assert_allclose(outputs["sequences_scores"], call["sequences_scores"], rtol=1e-4, atol=1e-4)
    if "beam_indices" in call:
        assert outputs["beam_indices"].tolist() == call["beam_indices"]

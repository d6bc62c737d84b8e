"""`model.generate` against the reference's, token by token, for every strategy."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from model_fixtures import assert_close, unpacked, weights
from safetensors.numpy import save_file
from tokenizers import Tokenizer

import keras_tfm as kt

FOLDER = Path(__file__).parent / "fixtures" / "generation" / "models"
STATES = json.loads((FOLDER.parent / "states.json").read_text())
FIXTURES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
# Every strategy with GPT-2, and most with an encoder (T5). What they do with the scores is the same for the others,
# and compiling takes seconds: where that is done, they show what depends on the model.
OTHERS = ("greedy_left", "guided", "beam_left", "groups", "contrastive", "constrained", "lookup", "assisted")
CALLS = [
    (model, name)
    for model, fixture in FIXTURES.items()
    for name in fixture["calls"]
    if model.startswith(("gpt2", "t5")) or name in OTHERS or keras.backend.backend() == "torch"
]


def load(name, folder, stored):
    """The model of a class, with its configuration and the shapes of its tensors."""
    (folder / "config.json").write_text(json.dumps(stored["config"]))
    tensors = {name: weights(name, tuple(shape)) for name, shape in stored["tensors"].items()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return getattr(kt, name).from_preset(folder)


@pytest.fixture(scope="module")
def models(request, tmp_path_factory):
    """The model of a fixture, and a smaller one."""
    fixture = FIXTURES[request.param]
    pair = {"model": fixture, "draft": fixture["draft"]}
    return {name: load(fixture["class"], tmp_path_factory.mktemp(name), its) for name, its in pair.items()}


@pytest.mark.parametrize(("models", "name"), CALLS, indirect=["models"], ids=["-".join(call) for call in CALLS])
def test_equals_the_reference(models, name, request):
    call = FIXTURES[request.node.callspec.params["models"]]["calls"][name]
    inputs = {key: np.array(value) for key, value in call["inputs"].items()}
    options = {"return_dict_in_generate": True, "output_scores": True, **call["options"]}
    if assistant := options.get("assistant_model"):
        options["assistant_model"] = models[assistant]
    outputs = models["model"].generate(inputs, **options)
    assert outputs["sequences"].tolist() == call["sequences"]
    highest = np.array([scores.max(-1) for scores in outputs["scores"]])
    np.testing.assert_allclose(highest, call["highest"], rtol=1e-4, atol=1e-4)
    if "sequences_scores" in call:
        np.testing.assert_allclose(outputs["sequences_scores"], call["sequences_scores"], rtol=1e-4, atol=1e-4)
    if "beam_indices" in call:
        assert outputs["beam_indices"].tolist() == call["beam_indices"]
    if "transitions" in call:
        beams = outputs.get("beam_indices")
        found = models["model"].compute_transition_scores(outputs["sequences"], outputs["scores"], beams, beams is None)
        np.testing.assert_allclose(found, call["transitions"], rtol=1e-4, atol=1e-4)


def test_strings_end_texts(tmp_path):
    fixture = json.loads((FOLDER.parent / "stop_strings.json").read_text())
    model = load("GPT2LMHeadModel", tmp_path, fixture)
    tokenizer = kt.PreTrainedTokenizerFast(Tokenizer.from_str(json.dumps(fixture["tokenizer"])), pad_token="<pad>")
    for call in fixture["calls"]:
        options = fixture["options"] | {"stop_strings": call["stop_strings"], "tokenizer": tokenizer}
        sequences = model.generate(np.array(call["input_ids"]), **options)
        assert sequences.tolist() == call["sequences"], call["stop_strings"]


@pytest.mark.parametrize("models", STATES, indirect=True)
def test_returns_the_states_of_each_token(models, request):
    call, model = STATES[request.node.callspec.params["models"]], models["model"]
    inputs = {key: np.array(value) for key, value in call["inputs"].items()}
    options = {"max_new_tokens": call["new"], "pad_token_id": 0, "eos_token_id": None, "return_dict_in_generate": True}
    outputs = model.generate(inputs, **options, output_hidden_states=True, output_attentions=True)
    assert {name for name in outputs if name.endswith(("hidden_states", "attentions"))} == set(call["states"])
    for name, recorded in call["states"].items():
        expected = unpacked(recorded)
        assert len(outputs[name]) == len(expected), name
        for step, (ours, reference) in enumerate(zip(outputs[name], expected, strict=True)):
            assert_states(ours, reference, f"{name}[{step}]", inputs)


def assert_states(ours, reference, where, inputs):
    """Equal but for what padding looks at, which nothing depends on."""
    if isinstance(reference, list):
        assert len(ours) == len(reference), where
        for i, pair in enumerate(zip(ours, reference, strict=True)):
            assert_states(*pair, f"{where}[{i}]", inputs)
        return
    real = inputs.get("attention_mask", np.ones_like(inputs["input_ids"])) > 0
    axis = 1 if "hidden_states" in where else 2
    if reference.shape[axis] == real.shape[1]:
        ours, reference = (np.moveaxis(x, axis, 1)[real] for x in (ours, reference))
    assert_close(ours, reference, where)


@pytest.mark.parametrize("models", ["gpt2_base"], indirect=True)
def test_beams_keep_no_states(models):
    with pytest.raises(ValueError, match="beam search keeps no states"):
        models["model"].generate(np.array([[5, 6]]), num_beams=2, return_dict_in_generate=True, output_attentions=True)

"""Every class of every architecture against the reference, through the fixtures that tests/oracle made."""

import functools
import json

import keras
import numpy as np
import pytest
from model_fixtures import assert_close, cases, fixture, flat, state, unpacked
from safetensors.numpy import load_file

from keras_tfm.layers.config import SPELLINGS
from keras_tfm.runtime.compiling import compiled

# One case of each architecture.
FIRST = list({file.partition("/")[0]: (file, name) for file, name in reversed(cases())}.values())


def every(cases):
    """Parametrises the chain of module fixtures; an architecture's tests stay in one process, which loads each case
    once and compiles operations of the same shapes once."""
    params = [
        pytest.param(case, case, id="-".join(case), marks=pytest.mark.xdist_group(case[0].partition("/")[0]))
        for case in cases
    ]
    return pytest.mark.parametrize(("case", "preset"), params, indirect=True, scope="module")


def calls(case):
    file, name = case
    return fixture(file)["classes"][name]["calls"]


@every(cases())
def test_outputs_equal_the_reference(case, model):
    # Compiling takes most of the suite's time, and an architecture's classes share their blocks: one is compiled.
    forward = compiled(model) if case in FIRST else functools.partial(model, training=False)
    for i, call in enumerate(calls(case)):
        inputs = {name: unpacked(value) for name, value in call["inputs"].items()}
        if "greedy" in call:
            assert greedy(model, inputs, len(call["greedy"][0]), call.get("num_beams", 1)) == call["greedy"]
            continue
        if "loss" in call:
            model.compile()
            labels = {name: unpacked(value) for name, value in call["labels"].items()}
            loss = model.compute_loss(inputs, labels, model(inputs))
            assert float(keras.ops.convert_to_numpy(loss)) == pytest.approx(call["loss"], rel=1e-4), f"call {i}: loss"
            continue
        run = getattr(model, call["method"]) if "method" in call else forward
        ours = flat(run(inputs, **call["options"]), name=next(iter(call["outputs"])))
        tokens = inputs["attention_mask"].astype(bool) if call.get("real_tokens_only") else None
        for key, expected in call["outputs"].items():
            assert_close(ours[key], unpacked(expected), f"call {i}: {key}", tokens)


@every(cases())
def test_saving_gives_the_reference_checkpoint_back(case, model, tmp_path):
    model.save_preset(tmp_path)
    saved, stored = load_file(tmp_path / "model.safetensors"), state(*case)
    second = {name.replace("weight", "bias") for name in stored if name.endswith("decoder.weight")}
    assert set(saved) - second == set(stored)  # see Slot.second_tensor
    for name in stored:
        np.testing.assert_array_equal(saved[name], stored[name], err_msg=name)
    config = json.loads((tmp_path / "config.json").read_text())
    for key, value in fixture(case[0])["config"].items():
        if key not in ("architectures", "transformers_version", "rope_parameters"):  # (which has two other spellings)
            assert config[SPELLINGS.get(key, key)] == value, key


def greedy(model, inputs, count, beams):
    """The `count` likeliest next tokens, one after the other or with so many `beams`, [[tokens], ..]; with padding
    before the texts, which changes nothing, where a decoder alone can be told of it."""
    prompt = 1
    if not model.decoder_prefix:
        if "attention_mask" in model.served:
            inputs["attention_mask"] = np.ones_like(inputs["input_ids"])
            inputs = {name: np.pad(x, ((0, 0), (2, 0))) for name, x in inputs.items()}
        prompt = inputs["input_ids"].shape[1]
    tokens = model.generate(inputs, max_new_tokens=count, num_beams=beams, eos_token_id=None)
    return tokens[:, prompt:].tolist()

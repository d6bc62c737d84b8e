"""Windowed attention where there are more tokens than those that see all are gathered from."""

import pytest
from model_fixtures import assert_close, fixture, flat, unpacked, write_preset

import keras_tfm as kt
from keras_tfm.layers import windowed
from keras_tfm.runtime.compiling import compiled


@pytest.mark.parametrize("few", [2, 4], ids=["all pairs", "gathered"])
@pytest.mark.parametrize("run", [lambda model: model, compiled], ids=["eager", "compiled"])
def test_tokens_that_see_all_are_few_or_many(few, run, monkeypatch, tmp_path):
    monkeypatch.setattr(windowed, "FEW", few)
    model = kt.LEDModel.from_preset(write_preset(tmp_path, "led/base", "LEDModel"))
    call = fixture("led/base")["classes"]["LEDModel"]["calls"][1]  # its texts have up to three of them
    forward, inputs = run(model), {name: unpacked(value) for name, value in call["inputs"].items()}
    for _ in range(3):  # torch records the second call
        outputs = flat(forward(inputs))
        for key, expected in call["outputs"].items():
            assert_close(outputs[key], unpacked(expected), key)

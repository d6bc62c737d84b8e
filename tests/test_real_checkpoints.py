"""Checkpoints that people use, as their packages carry them, against what the reference predicts with them.

The fixtures are made by tests/oracle/real_checkpoints.py; the packages are installed without what they depend on.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from model_fixtures import assert_close, unpacked
from safetensors.numpy import load_file

import keras_tfm as kt
from keras_tfm.presets.io.checkpoint import open_checkpoint
from keras_tfm.presets.io.hub import open_preset

FIXTURES = Path(__file__).parent / "fixtures" / "real_checkpoints"
RXNMAPPER = Path(importlib.util.find_spec("rxnmapper").origin).parent / "models/transformers"
RXNMAPPER = RXNMAPPER / "albert_heads_8_uspto_all_1310k"


@pytest.fixture(scope="module")
def recorded():
    stored = json.loads((FIXTURES / "rxnmapper.json").read_text())
    inputs = {name: unpacked(value) for name, value in stored.pop("inputs").items()}
    return {name: unpacked(value) for name, value in stored.items()} | {"inputs": inputs}


def test_masked_predictions(recorded, recwarn):
    model = kt.AutoModelForMaskedLM.from_preset(RXNMAPPER)
    assert not [warning for warning in recwarn if "initialised anew" in str(warning.message)]
    logits = keras.ops.convert_to_numpy(model(recorded["inputs"]))[recorded["masked"]]
    assert_close(logits, recorded["logits"])
    np.testing.assert_array_equal(logits.argmax(-1), recorded["logits"].argmax(-1))


def test_attention_and_pooler(recorded):
    outputs = kt.AutoModel.from_preset(RXNMAPPER)({"input_ids": recorded["text"]}, output_attentions=True)
    assert_close(keras.ops.convert_to_numpy(outputs["pooler_output"]), recorded["pooler_output"])
    assert_close(keras.ops.convert_to_numpy(outputs["attentions"][10])[0, 5], recorded["attention"])


def test_saving_gives_the_tensors_back(tmp_path):
    kt.AlbertForMaskedLM.from_preset(RXNMAPPER).save_preset(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    with open_checkpoint(open_preset(RXNMAPPER)) as stored:
        tied = {"predictions.decoder.weight", "predictions.decoder.bias"}
        assert set(stored) - set(saved) == tied | {"albert.pooler.weight", "albert.pooler.bias"}
        for name, array in saved.items():
            np.testing.assert_array_equal(array, stored.read(name), err_msg=name)
    config = json.loads((tmp_path / "config.json").read_text())
    for key, value in json.loads((RXNMAPPER / "config.json").read_text()).items():
        if key not in ("id2label", "label2id", "num_labels", "is_decoder", "output_attentions", "output_hidden_states"):
            assert config[key] == value, key


def test_no_other_framework_is_imported():
    code = "import sys, keras_tfm; keras_tfm.AutoModelForMaskedLM.from_preset(sys.argv[1]);"
    code += "print({'torch', 'tensorflow', 'transformers'} & set(sys.modules))"
    env = os.environ | {"KERAS_BACKEND": "jax"}
    result = subprocess.run([sys.executable, "-c", code, RXNMAPPER], capture_output=True, text=True, env=env)
    assert result.stdout == "set()\n", result.stderr

"""SavedModels, served by plain TensorFlow in a process without keras_tfm, against `call`."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from model_fixtures import assert_close, fixture, flat, unpacked, write_preset

import keras_tfm as kt

SERVE = """
import sys
import numpy as np, tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
for i in range(int(sys.argv[3])):
    inputs = {k: tf.constant(v) for k, v in np.load(f"{sys.argv[2]}/inputs{i}.npz").items()}
    outputs = served.serve(inputs)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    np.savez(f"{sys.argv[2]}/outputs{i}.npz", **{k: v.numpy() for k, v in outputs.items()})
assert "keras_tfm" not in sys.modules
"""


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("bert/absolute", "BertModel"),
        ("bert/absolute", "BertForMultipleChoice"),
        ("bert/absolute", "BertForQuestionAnswering"),
        ("fnet/base", "FNetModel"),  # JAX has no Fourier transform of unknown length
        ("xlm/english", "XLMForQuestionAnswering"),
        ("led/base", "LEDForConditionalGeneration"),  # two lengths; branches
    ],
)
def test_saved_model_serves_any_batch_and_length(file, name, tmp_path):
    model = getattr(kt, name).from_preset(write_preset(tmp_path, file, name))
    recorded = fixture(file)["classes"][name]["calls"][0]["inputs"]
    ones = {name: np.ones_like(unpacked(recorded["input_ids"])) for name in model.signature()}
    inputs = {k: v.astype("int32") for k, v in (ones | {k: unpacked(v) for k, v in recorded.items()}).items()}
    batches = [inputs, {k: np.concatenate([v, v, v], -1)[:1] for k, v in inputs.items()}]
    assert_served(model, batches, tmp_path)


@pytest.mark.parametrize(
    ("file", "name", "other"),
    [
        ("vit/base", "ViTModel", (3, 3, 16, 16)),
        ("resnet/bottleneck", "ResNetForImageClassification", (1, 3, 48, 37)),
        ("dinov2/base", "Dinov2Model", (1, 3, 28, 20)),  # JAX has no program for positions of unknown sizes
    ],
)
def test_saved_model_serves_pictures(file, name, other, tmp_path):
    model = getattr(kt, name).from_preset(write_preset(tmp_path, file, name))
    first = unpacked(fixture(file)["classes"][name]["calls"][0]["inputs"]["pixel_values"])
    assert_served(model, [{"pixel_values": first}, {"pixel_values": np.resize(first, other)}], tmp_path)


def assert_served(model, batches, tmp_path):
    """Another process serves these batches as the model answers them."""
    model.export(tmp_path / "served")
    for i, batch in enumerate(batches):
        np.savez(tmp_path / f"inputs{i}.npz", **batch)
    run = [sys.executable, "-c", SERVE, tmp_path / "served", tmp_path, str(len(batches))]
    subprocess.run(run, check=True, capture_output=True)
    for i, batch in enumerate(batches):
        served = dict(np.load(tmp_path / f"outputs{i}.npz"))
        ours = flat(model(batch))
        assert set(served) == set(ours)
        for key in ours:
            assert_close(served[key], ours[key], key)


def test_export_without_tensorflow_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model = kt.BertModel(kt.BertConfig(num_hidden_layers=1, hidden_size=8, num_attention_heads=2, vocab_size=9))
    with pytest.raises(ImportError, match="keras-tfm\\[tensorflow\\]"):
        model.export(tmp_path / "served")
    assert not (tmp_path / "served").exists()


class Doubled(kt.BertForQuestionAnswering):
    def call(self, inputs, training=None):
        return {name: 2 * x for name, x in super().call(inputs, training=training).items()}


def test_a_users_own_code_is_exported_or_refused(tmp_path):
    model = Doubled(kt.BertConfig(num_hidden_layers=1, hidden_size=8, num_attention_heads=2, vocab_size=9))
    if keras.backend.backend() == "torch":
        with pytest.raises(TypeError, match="Doubled's own code"):
            model.export(tmp_path / "served")
        assert not (tmp_path / "served").exists()
        return
    model.export(tmp_path / "served")
    inputs = {name: np.ones((1, 3), "int32") for name in model.signature()}
    np.savez(tmp_path / "inputs0.npz", **inputs)
    subprocess.run([sys.executable, "-c", SERVE, tmp_path / "served", tmp_path, "1"], check=True, capture_output=True)
    served, ours = dict(np.load(tmp_path / "outputs0.npz")), flat(model(inputs))
    for key in ours:
        assert_close(served[key], ours[key], key)

"""Models as parts of functional models, and what Keras does with any model: save, load, clone, summarise."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_tfm as kt

B, T = 8, 6
TINY = {
    "vocab_size": 32,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": T,
    "initializer_range": 0.2,
}
CLASSES = [
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertLMHeadModel",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForMultipleChoice",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
]


def make(name="BertModel", **options):
    keras.utils.set_random_seed(0)
    return getattr(kt, name)({**TINY, "is_decoder": name == "BertLMHeadModel"}, **options)


def arrays(*names, shape=(B, T)):
    rng = np.random.default_rng(0)
    values = {
        "input_ids": rng.integers(1, 32, shape, "int32"),
        "attention_mask": (np.arange(T) < rng.integers(2, T + 1, shape[:-1])[..., None]).astype("int32"),
        "token_type_ids": rng.integers(0, 2, shape, "int32"),
    }
    return {name: values[name] for name in names or values}


def same(a, b):
    keras.tree.map_structure(np.testing.assert_array_equal, predicted(a), predicted(b))


def predicted(outputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def classifier(*names):
    """A backbone with some of its inputs, under layers of one's own."""
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
    x = make()(inputs)["last_hidden_state"]
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(3, name="mine")(x))


@pytest.mark.parametrize("names", [("input_ids",), ("input_ids", "attention_mask")], ids="+".join)
def test_backbone_in_a_functional_model(names, tmp_path):
    model = classifier(*names)
    optimizer, loss = keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(True)
    model.compile(optimizer, loss)
    words = next(w for w in model.trainable_weights if "embeddings/word" in w.path)
    before = predicted(words)
    model.train_on_batch(arrays(*names), np.arange(B) % 3)
    assert np.abs(predicted(words) - before).max() > 0

    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    same(reloaded(arrays(*names)), model(arrays(*names)))
    momenta = [{v.path: v for v in m.optimizer.variables} for m in (model, reloaded)]
    assert any("momentum" in path and np.abs(predicted(v)).max() > 0 for path, v in momenta[0].items())
    same(*momenta)

    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    same(clone(arrays(*names)), model(arrays(*names)))


FRESH = """
import sys, numpy, keras, keras_tfm
assert "keras_tfm.models.bert" not in sys.modules
path, inputs, outputs = sys.argv[1:]
model = keras.models.load_model(path)
numpy.save(outputs, keras.ops.convert_to_numpy(model(dict(numpy.load(inputs)))))
"""


def test_reloaded_in_a_fresh_process(tmp_path):
    """Where nothing has imported the model's own module."""
    model = classifier("input_ids", "attention_mask")
    inputs = arrays("input_ids", "attention_mask")
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **inputs)
    files = [str(tmp_path / name) for name in ("model.keras", "inputs.npz", "outputs.npy")]
    subprocess.run([sys.executable, "-c", FRESH, *files], check=True)
    same(np.load(files[-1]), model(inputs))


def test_unknown_classes_stay_unknown():
    config = {
        "class_name": "BertForNothing",
        "registered_name": "keras_tfm>BertForNothing",
        "module": "m",
        "config": {},
    }
    with pytest.raises(TypeError, match="BertForNothing"):
        keras.saving.deserialize_keras_object(config)


def test_one_backbone_for_two_texts(tmp_path):
    sides = [{"input_ids": keras.Input((None,), dtype="int32", name=name)} for name in ("left", "right")]
    backbone = make()
    vectors = [backbone(side)["pooler_output"] for side in sides]
    model = keras.Model([side["input_ids"] for side in sides], keras.layers.Dot(-1, normalize=True)(vectors))
    assert model.count_params() == backbone.count_params()

    ids = arrays()["input_ids"]
    assert predicted(model([ids, ids])) == pytest.approx(1, abs=1e-5)
    pair = [ids, ids[::-1]]
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    same(reloaded(pair), model(pair))
    assert reloaded.count_params() == model.count_params()


@pytest.mark.parametrize("name", CLASSES)
def test_saved_loaded_cloned_and_summarised(name, tmp_path, capsys):
    model = make(name)
    assert model.built
    assert model.count_params() == sum(np.prod(w.shape) for w in model.weights) > 0
    model.summary()
    assert f"{model.count_params():,}" in capsys.readouterr().out

    inputs = arrays(shape=(B // 2, 2, T) if name == "BertForMultipleChoice" else (B, T))
    if name != "BertModel":
        model.compile(keras.optimizers.SGD(0.01))
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(reloaded) is type(model)
    assert reloaded.config == model.config
    same(reloaded(inputs), model(inputs))
    if name != "BertModel":
        assert reloaded.optimizer.get_config() == model.optimizer.get_config()
        assert serialized(reloaded.loss) == serialized(model.loss)

    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    same(clone(inputs), model(inputs))


def serialized(loss):
    return keras.tree.map_structure(keras.losses.serialize, loss)


def test_precision_and_frozen_parts_are_saved(tmp_path):
    model = make("BertForSequenceClassification", dtype="mixed_bfloat16")
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.backbone.blocks[0].attention.query.dtype_policy.name == "mixed_bfloat16"
    same(reloaded(arrays()), model(arrays()))

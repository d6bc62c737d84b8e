"""What every architecture must do beyond equal outputs: train, compose, and come back from a `.keras` file.

One backbone and one head of each, found through its fixtures, so that a new architecture is tested without a new test.
"""

import keras
import numpy as np
import pytest
from model_fixtures import FOLDER, fixture, unpacked

import keras_tfm as kt
from keras_tfm.layers.detection_heads import SetPrediction
from keras_tfm.layers.heads import Task


def first(folder, wanted):
    """The first (file, class name) of an architecture whose class is wanted."""
    for path in sorted(folder.glob("*.json")):
        file = f"{folder.name}/{path.stem}"
        for name in fixture(file)["classes"]:
            if wanted(getattr(kt, name)):
                return file, name
    raise AssertionError(f"{folder.name} has no such class")


def each(wanted, but=()):
    found = [first(folder, wanted) for folder in sorted(FOLDER.iterdir()) if folder.name not in but]
    return pytest.mark.parametrize(("file", "name"), found, ids=["-".join(case) for case in found])


def make(file, name):
    keras.utils.set_random_seed(0)
    cls = getattr(kt, name)
    return cls(cls.config_class.from_dict(learning(fixture(file)["config"])))


def learning(config):
    """A configuration that learns fast. Without dropout: drawing random numbers is most of what XLA would compile."""
    parts = {name: learning(part) for name, part in config.items() if isinstance(part, dict) and "model_type" in part}
    rates = {name: 0.0 for name, value in config.items() if "drop" in name and isinstance(value, float)}
    return config | parts | rates | {"initializer_range": 0.2}


def inputs_of(file, name):
    recorded = fixture(file)["classes"][name]["calls"][0]["inputs"]
    return {key: unpacked(value) for key, value in recorded.items()}


def labels_for(outputs):
    """Something to learn by heart: classes for the logits, or for each of several."""
    if (
        isinstance(outputs, dict) and "masks_queries_logits" in outputs
    ):  # two segments, the upper half and the lower one
        batch, _, *size = outputs["masks_queries_logits"].shape
        upper = np.arange(np.prod(size)).reshape(1, *size) < np.prod(size) // 2
        masks = np.stack([upper, ~upper], axis=1).repeat(batch, 0)
        return {"class_labels": np.tile([0, 1], (batch, 1)), "mask_labels": masks.astype("float32")}
    if isinstance(outputs, dict):
        return {key: labels_for(logits) for key, logits in outputs.items()}
    if len(outputs.shape) == 1:  # a score for each text: the first is the right one
        return (np.arange(outputs.shape[0]) == 0).astype("int32")
    if len(outputs.shape) == 4:  # a class for each pixel, (B, classes, h, w): in stripes, which maps can tell apart
        batch, classes, *size = outputs.shape
        return np.arange(int(np.prod(size))).reshape(1, *size).repeat(batch, 0) * classes // int(np.prod(size))
    *shape, classes = outputs.shape
    return np.arange(int(np.prod(shape))).reshape(shape) % classes


def objects_for(names, outputs):
    """Two objects in each picture, one on the left and one on the right."""
    batch, half = keras.tree.flatten(outputs)[0].shape[0], np.arange(8) < 4
    masks = np.broadcast_to(np.stack([half, ~half])[:, None], (2, 8, 8)).astype("float32")
    boxes = np.array([[0.25, 0.5, 0.5, 1.0], [0.75, 0.5, 0.5, 1.0]], "float32")
    each = {"class_labels": np.array([0, 1]), "boxes": boxes, "masks": masks, "mask_labels": masks}
    return {name: np.stack([each[name]] * batch) for name in names}


def assert_same(model, reloaded):
    for ours, theirs in zip(model.weights, reloaded.weights, strict=True):  # Keras saves no states of seed generators
        assert ours.path == theirs.path
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (ours, theirs)), err_msg=ours.path)


@each(lambda cls: not issubclass(cls, Task), but=["encoder_decoder", "upernet"])  # heads alone
def test_the_backbone_composes_and_reloads(file, name, tmp_path):
    given = inputs_of(file, name)
    required = {key: x for key, x in given.items() if key in (next(iter(given)), "decoder_input_ids")}
    symbolic = {
        key: keras.Input(x.shape[1:] if key == "pixel_values" else (*x.shape[1:-1], None), dtype=x.dtype.name, name=key)
        for key, x in required.items()
    }
    outputs = make(file, name)(symbolic)
    named = isinstance(outputs, dict) and "last_hidden_state" in outputs
    features = outputs["last_hidden_state"] if named else keras.tree.flatten(outputs)[0]
    model = keras.Model(symbolic, keras.layers.Dense(1)(features))
    model.save(tmp_path / "model.keras")
    assert_same(model, keras.models.load_model(tmp_path / "model.keras"))


@each(lambda cls: issubclass(cls, Task), but=["depth_anything", "sam"])  # these the reference does not train
def test_a_head_trains_and_reloads(file, name, tmp_path):
    model, inputs = make(file, name), inputs_of(file, name)
    outputs = model.compute_output_spec(inputs)
    is_set = isinstance(model, SetPrediction)
    labels = objects_for(model.set_loss().labels(outputs), outputs) if is_set else labels_for(outputs)
    # XLA on JAX; on TensorFlow tracing the gradients takes longer than the few steps.
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=keras.backend.backend() == "tensorflow")
    losses = model.fit(inputs, labels, epochs=10 if is_set else 5, verbose=0).history["loss"]  # sets are slower
    assert losses[-1] < 0.9 * losses[0]
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.config == model.config
    assert_same(model, reloaded)

"""Encoder-decoders beyond equal outputs: what the decoder is told in training, and what is said where it is told
nothing."""

import keras
import numpy as np
import pytest
from model_fixtures import fixture, unpacked, write_preset

import keras_tfm as kt

CASES = {
    "bart/base": ("BartForConditionalGeneration", {"dropout": 0.0}),
    "t5/base": ("T5ForConditionalGeneration", {"dropout_rate": 0.0}),
}


@pytest.fixture(scope="module", params=CASES)
def trained(request, tmp_path_factory):
    """A model, inputs without anything for the decoder, labels, and the reference's loss."""
    file, (name, options) = request.param, CASES[request.param]
    model = getattr(kt, name).from_preset(write_preset(tmp_path_factory.mktemp("preset"), file, name), **options)
    model.compile(run_eagerly=keras.backend.backend() != "jax")  # elsewhere that costs more than it saves
    call = next(call for call in fixture(file)["classes"][name]["calls"] if "loss" in call)
    inputs = {key: unpacked(value) for key, value in call["inputs"].items() if key != "labels"}
    return model, inputs, unpacked(call["labels"]["labels"]), call["loss"]


def test_the_decoder_sees_the_labels(trained):
    model, inputs, labels, loss = trained
    for y in (labels, {"labels": labels}):
        assert float(model.test_on_batch(inputs, y)) == pytest.approx(loss, rel=1e-4)
        assert model.evaluate(inputs, y, verbose=0) == pytest.approx(loss, rel=1e-4)
    history = model.fit(inputs, labels, validation_data=(inputs, labels), epochs=2, verbose=0).history
    assert history["loss"][0] == pytest.approx(loss, rel=1e-4)
    assert history["val_loss"][0] == pytest.approx(history["loss"][1], rel=1e-4)


def test_generation_refuses_what_it_would_not_read(trained):
    model, inputs, labels, _ = trained
    for wrong, what in (({"labels": labels}, "cannot go on with labels"), ({"decoder_input_ids": [[5]]}, "do not go")):
        with pytest.raises(ValueError, match=what):
            model.generate(inputs | wrong)
    with pytest.raises(ValueError, match="inputs for its encoder"):
        model.generate()
    with pytest.raises(ValueError, match="guidance_scale"):
        model.generate(inputs, guidance_scale=2.0)


def test_data_sets_must_hold_the_labels(trained):
    model, inputs, labels, _ = trained

    class Batches(keras.utils.PyDataset):
        def __init__(self, inputs):
            super().__init__()
            self.inputs = inputs

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return self.inputs, labels

    assert model.evaluate(Batches(inputs | {"labels": labels}), verbose=0) > 0
    with pytest.raises(ValueError, match="labels"):  # (after which Keras has lost the weights on JAX)
        model.evaluate(Batches(inputs), verbose=0)


def test_a_decoder_that_is_told_nothing():
    config = kt.T5Model.config_class.from_dict(fixture("t5/base")["config"])
    with pytest.raises(ValueError, match="decoder_input_ids"):
        kt.T5Model(config)({"input_ids": np.array([[5, 6, 1]])})
    classifier = kt.T5ForSequenceClassification(config)
    assert "decoder_input_ids" not in classifier.signature()
    with pytest.raises(ValueError, match="input_ids"):
        classifier({"inputs_embeds": np.zeros((1, 3, 32), "float32")})

"""Training: the reference's losses, `fit` on every head and kind of data, precision, dropout, frozen backbones."""

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_tfm as kt
from keras_tfm.layers.base import Model

LOSSES = json.loads((Path(__file__).parent / "fixtures" / "losses" / "bert.json").read_text())
B, T, V, CHOICES, LABELS = 8, 6, 32, 3, 4
TINY = {
    "vocab_size": V,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": T,
    "num_labels": LABELS,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.2,
}
IGNORED = -100


def arrays(name):
    """Inputs and labels of a head: something to be learnt by heart."""
    rng = np.random.default_rng(0)
    shape = (B, CHOICES, T) if name == "BertForMultipleChoice" else (B, T)
    ids = rng.integers(1, V, shape)
    inputs = {"input_ids": ids, "attention_mask": np.ones(shape, int), "token_type_ids": np.zeros(shape, int)}
    masked = np.where(rng.random((B, T)) < 0.5, ids[..., :T] if ids.ndim == 2 else 0, IGNORED)
    positions, follows = rng.integers(0, T, (2, B)), rng.integers(0, 2, B)
    labels = {
        "BertForPreTraining": {"labels": masked, "next_sentence_label": follows},
        "BertForMaskedLM": masked,
        "BertLMHeadModel": ids,
        "BertForNextSentencePrediction": follows,
        "BertForSequenceClassification": rng.integers(0, LABELS, B),
        "BertForMultipleChoice": rng.integers(0, CHOICES, B),
        "BertForTokenClassification": np.where(masked == IGNORED, IGNORED, masked % LABELS),
        "BertForQuestionAnswering": {"start_positions": positions[0], "end_positions": positions[1]},
    }
    return inputs, labels[name]


HEADS = [
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertLMHeadModel",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForMultipleChoice",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
]


def make(name="BertForSequenceClassification", dtype=None, **config):
    keras.utils.set_random_seed(0)
    return getattr(kt, name)({**TINY, "is_decoder": name == "BertLMHeadModel", **config}, dtype=dtype)


def compiled(model, **options):
    model.compile(keras.optimizers.SGD(0.1), **options)
    return model


def convert(tensor):
    return keras.ops.convert_to_numpy(tensor)


def given(cls, config, logits):
    """A model of the class that predicts the given logits, which are its only weights."""

    class Given(cls):
        def __init__(self, config):
            Model.__init__(self, config)
            self.given = {
                name: self.add_weight(name=name, shape=np.shape(values), initializer="zeros")
                for name, values in logits.items()
            }

        def signature(self):
            return self.served

        building_signature = signature

        def call(self, inputs, training=None):
            predictions = {name: keras.ops.convert_to_tensor(weight) for name, weight in self.given.items()}
            return predictions if len(predictions) > 1 else next(iter(predictions.values()))

    model = Given(config)
    for name, values in logits.items():
        model.given[name].assign(np.array(values, "float32"))
    return model


@pytest.mark.parametrize("case", LOSSES.values(), ids=LOSSES)
def test_loss_and_gradients_are_the_references(case):
    model = given(getattr(kt, case["class"]), case["config"], case["logits"])
    model.compile(keras.optimizers.SGD(1.0))
    labels = {name: np.array(values) for name, values in case["labels"].items()}
    inputs = dict.fromkeys(model.served, np.ones((len(labels[min(labels)]), 1), "int32"))
    loss = model.train_on_batch(inputs, labels, return_dict=True)["loss"]
    assert float(loss) == pytest.approx(case["loss"], abs=1e-5)
    for name, gradient in case["gradients"].items():
        step = np.array(case["logits"][name]) - keras.ops.convert_to_numpy(model.given[name])
        np.testing.assert_allclose(step, gradient, atol=1e-5, err_msg=name)


def test_no_label_that_counts_gives_no_loss():
    loss = kt.BertForMaskedLM.default_loss(None)
    assert float(loss(np.full((2, 3), IGNORED), np.ones((2, 3, 5)))) == 0


@pytest.mark.parametrize("name", HEADS)
def test_every_head_learns(name):
    inputs, labels = arrays(name)
    model = compiled(make(name))
    words = model.backbone.embeddings.word.embeddings
    before = convert(words)
    losses = model.fit(inputs, labels, batch_size=B, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    changed = np.abs(convert(words) - before).max(-1) > 0
    assert changed[np.unique(inputs["input_ids"])].all()


def test_labels_by_position_or_by_output_are_the_same():
    inputs, labels = arrays("BertForQuestionAnswering")
    starts, ends = labels["start_positions"], labels["end_positions"]
    model = compiled(make("BertForQuestionAnswering"), run_eagerly=True)
    spellings = [labels, {"start_logits": starts, "end_logits": ends}, (starts, ends)]
    losses = [model.evaluate(inputs, y, batch_size=B, verbose=0, return_dict=True)["loss"] for y in spellings]
    assert losses[0] == losses[1] == losses[2]
    swapped = model.evaluate(inputs, (ends, starts), batch_size=B, verbose=0, return_dict=True)["loss"]
    assert swapped != losses[0]


class Batches(keras.utils.PyDataset):
    def __init__(self, inputs, labels):
        super().__init__()
        self.inputs, self.labels = inputs, labels

    def __len__(self):
        return 2

    def __getitem__(self, i):
        half = slice(i * B // 2, (i + 1) * B // 2)
        return {name: x[half] for name, x in self.inputs.items()}, self.labels[half]


def test_every_kind_of_data_gives_the_same_training():
    import tensorflow as tf

    inputs, labels = arrays("BertForSequenceClassification")
    data = {
        "arrays": (inputs, labels),
        "PyDataset": (Batches(inputs, labels),),
        "tf.data": (tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(B // 2),),
    }
    model = compiled(make())
    start = model.get_weights()
    losses = {}
    for kind, parts in data.items():
        model.set_weights(start)
        options = {"batch_size": B // 2} if kind == "arrays" else {}
        losses[kind] = model.fit(*parts, shuffle=False, epochs=2, verbose=0, **options).history["loss"]
    assert losses["arrays"] == pytest.approx(losses["PyDataset"], rel=1e-5)
    assert losses["arrays"] == pytest.approx(losses["tf.data"], rel=1e-5)


def test_metrics_predictions_and_weights():
    inputs, labels = arrays("BertForSequenceClassification")
    model = compiled(make(), metrics=["accuracy"], run_eagerly=True)
    logits = model.predict(inputs, batch_size=B, verbose=0)
    right = logits.argmax(-1) == labels
    scores = model.evaluate(inputs, labels, batch_size=B, verbose=0, return_dict=True)
    assert scores["accuracy"] == pytest.approx(right.mean())

    shifted = logits - logits.max(-1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(-1)) - np.take_along_axis(shifted, labels[:, None], -1)[:, 0]
    assert scores["loss"] == pytest.approx(losses.mean(), abs=1e-5)
    weights = np.arange(B, dtype="float32")
    weighted = model.evaluate(inputs, labels, sample_weight=weights, batch_size=B, verbose=0, return_dict=True)
    assert weighted["loss"] == pytest.approx((losses * weights).mean(), abs=1e-4)


def test_sample_weights_of_tokens():
    inputs, labels = arrays("BertForTokenClassification")
    model = compiled(make("BertForTokenClassification"), run_eagerly=True)
    weights = np.zeros((B, T), "float32")
    weights[0] = 1
    weighted = model.evaluate(inputs, labels, sample_weight=weights, batch_size=B, verbose=0)
    first = {name: x[:1] for name, x in inputs.items()}
    alone = model.evaluate(first, labels[:1], batch_size=1, verbose=0)
    counted = labels != IGNORED
    assert weighted == pytest.approx(alone * counted[0].sum() / counted.sum(), rel=1e-4)


def test_hidden_states_do_not_disturb_training():
    inputs, labels = arrays("BertForSequenceClassification")
    model = compiled(make(output_hidden_states=True), metrics=["accuracy"], run_eagerly=True)
    assert "hidden_states" in model(inputs)
    plain = compiled(make(), metrics=["accuracy"], run_eagerly=True)
    plain.set_weights(model.get_weights())
    expected = plain.evaluate(inputs, labels, batch_size=B, verbose=0)
    assert model.evaluate(inputs, labels, batch_size=B, verbose=0) == pytest.approx(expected)


def test_mixed_precision():
    inputs, labels = arrays("BertForSequenceClassification")
    model = compiled(make(dtype="mixed_bfloat16"))
    assert model.head.kernel.dtype == "float32"
    assert keras.backend.standardize_dtype(model(inputs).dtype) == "bfloat16"
    losses = model.fit(inputs, labels, batch_size=B, epochs=6, verbose=0).history["loss"]
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0]


def test_labels_are_exact_where_the_default_type_is_short():
    """257 is no bfloat16."""
    scores = np.zeros((1, 300), "float32")
    scores[0, 257] = 9.0
    keras.config.set_floatx("bfloat16")
    try:
        assert float(kt.BertForNextSentencePrediction.default_loss(None)(np.array([257]), scores)) < 0.1
    finally:
        keras.config.set_floatx("float32")


def test_dropout_only_in_training():
    inputs, _ = arrays("BertForSequenceClassification")
    for rates in ({"hidden_dropout_prob": 0.5}, {"attention_probs_dropout_prob": 0.5}, {"classifier_dropout": 0.5}):
        model = make(**rates)
        twice = {training: [convert(model(inputs, training=training)) for _ in "12"] for training in (True, False)}
        np.testing.assert_array_equal(*twice[False])
        assert np.abs(twice[True][0] - twice[True][1]).max() > 1e-4, rates


def test_frozen_backbone():
    inputs, labels = arrays("BertForSequenceClassification")
    model = make()
    model.backbone.trainable = False
    compiled(model)
    before = [convert(w) for w in model.backbone.weights], convert(model.head.kernel)
    model.fit(inputs, labels, batch_size=B, epochs=1, verbose=0)
    assert [w.path for w in model.trainable_weights] == [w.path for w in model.head.weights]
    assert all((convert(w) == b).all() for w, b in zip(model.backbone.weights, before[0], strict=True))
    assert (convert(model.head.kernel) != before[1]).any()

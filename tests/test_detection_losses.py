"""Losses of sets: assignment, the reference's losses and their gradients, and `fit` through the heads."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from keras_tfm.layers.config import Config
from keras_tfm.layers.detection_heads import ObjectDetection, SetPrediction, UniversalSegmentation
from keras_tfm.layers.sampling import sample
from keras_tfm.training import detection, matching, segmentation

CASES = json.loads((Path(__file__).parent / "fixtures" / "detection_losses.json").read_text())
AUXILIARY = ("auxiliary_outputs", "auxiliary_logits")
CLASSES, B, Q, N, SIZE = 3, 4, 5, 3, 8


def layers_of(outputs):
    """The outputs of each layer, the last one's first."""
    last = {name: values for name, values in outputs.items() if name not in AUXILIARY}
    return [last, *itertools.chain.from_iterable(outputs.get(name, ()) for name in AUXILIARY)]


def made_of(weights, outputs):
    """`outputs` with the weights in the place of the numbers."""
    weights = iter(weights)
    last, *others = ({name: next(weights) for name in layer} for layer in layers_of(outputs))
    return last | {name: others for name in AUXILIARY if name in outputs}


class Given(keras.Model):
    """Predicts the outputs of a case, which are its weights, and learns by the case's loss. It notes the loss's terms
    and the matches, in the order of the case's."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.given = [self.holding(values) for layer in layers_of(case["outputs"]) for values in layer.values()]
        self.terms = [self.holding(0.0, trainable=False) for layer in case["terms"] for _ in layer]
        self.matched = self.holding(np.concatenate(case["matched"]) * 0, trainable=False)
        self.built = True

    def holding(self, values, **options):
        weight = self.add_weight(shape=np.shape(values), initializer="zeros", **options)
        weight.assign(np.array(values, "float32"))
        return weight

    def call(self, inputs):
        return made_of([ops.convert_to_tensor(weight) for weight in self.given], self.case["outputs"])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = loss_of(self.case)
        terms = loss.terms

        def noted(outputs, labels, matched, count):
            self.order.append((terms(outputs, labels, matched, count), matched))
            return self.order[-1][0]

        loss.terms, self.order = noted, []
        total = loss(y_pred, y)
        notes = iter(self.terms)
        for layer, (found, _) in zip(self.case["terms"], self.order, strict=True):
            assert set(found) == set(layer)
            for name in layer:
                next(notes).assign(ops.stop_gradient(found[name]))
        self.matched.assign(ops.cast(ops.concatenate([matched for _, matched in self.order]), "float32"))
        return total


def loss_of(case):
    config = SimpleNamespace(**case["config"])
    if case["loss"] != "PointMaskLoss":
        return getattr(detection, case["loss"])(config)
    costs, candidates, others = zip(*case["points"], strict=True)
    drawn = iter([*costs, *itertools.chain.from_iterable(zip(candidates, others, strict=True))])

    def draw(shape):
        points = np.array(next(drawn), "float32")
        assert points.shape == tuple(shape)
        return ops.convert_to_tensor(points)

    return segmentation.PointMaskLoss(config, draw)


def labels_of(case):
    return {name: np.array(values) for name, values in case["labels"].items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_compiled_training_follows_the_reference(case):
    model = Given(case)
    model.compile(keras.optimizers.SGD(1.0))
    labels = labels_of(case)
    loss = model.train_on_batch(np.zeros((len(labels["class_labels"]), 1), "float32"), labels, return_dict=True)["loss"]
    np.testing.assert_array_equal(ops.convert_to_numpy(model.matched), np.concatenate(case["matched"]))
    terms = [value for layer in case["terms"] for value in layer.values()]
    assert [float(ops.convert_to_numpy(term)) for term in model.terms] == pytest.approx(terms, abs=1e-5)
    assert float(loss) == pytest.approx(case["total"], rel=1e-5)
    before = [np.array(values) for layer in layers_of(case["outputs"]) for values in layer.values()]
    for old, weight, gradient in zip(before, model.given, case["gradients"], strict=True):
        np.testing.assert_allclose(old - ops.convert_to_numpy(weight), gradient, atol=1e-5)


def cheapest(costs):
    """The sum of the best assignment of all rows (N, Q), by trying every one; of all columns, if they are fewer."""
    costs = costs if costs.shape[0] <= costs.shape[1] else costs.T
    return min(
        costs[range(len(costs)), list(p)].sum() for p in itertools.permutations(range(costs.shape[1]), len(costs))
    )


@pytest.mark.parametrize("scipy", [True, False])
@pytest.mark.parametrize(("queries", "objects"), [(6, 4), (5, 5), (3, 5), (4, 1)])
def test_assignment_is_exact(queries, objects, scipy, monkeypatch):
    if not scipy:
        monkeypatch.setattr(matching, "assignment_solver", lambda: None)
    rng = np.random.default_rng(0)
    costs = rng.standard_normal((24, queries, objects)).astype("float32")
    costs[8:16] = costs[8:16, :, :1] + 0.1 * costs[8:16]  # all of them want the same
    costs[16:20] = rng.integers(0, 3, (4, queries, objects))  # ties
    real = rng.random((24, objects)) < 0.8
    matched = ops.convert_to_numpy(matching.assign(ops.convert_to_tensor(costs), ops.convert_to_tensor(real)))
    assert matched.dtype == "int32"
    for row, cost, counted in zip(matched, costs, real, strict=True):
        found = np.flatnonzero(row >= 0)
        assert counted[found].all()
        assert len(found) == len(set(row[found])) == min(counted.sum(), queries)
        assert cost[row[found], found].sum() == pytest.approx(cheapest(cost.T[counted]), abs=1e-4)


def test_costs_that_are_no_numbers_are_the_last_choice():
    costs = np.array([[[np.nan, 1.0], [np.inf, 0.0], [2.0, np.nan]], [[np.nan] * 2] * 3], "float32")
    matched = ops.convert_to_numpy(matching.assign(ops.convert_to_tensor(costs), np.ones((2, 2), bool)))
    np.testing.assert_array_equal(matched[0], [2, 1])
    assert len(set(matched[1])) == 2


def test_boxes():
    boxes = np.array([[0.5, 0.5, 0.4, 0.2], [0.2, 0.3, 0.4, 0.6]], "float32")
    corners = ops.convert_to_numpy(detection.corners(ops.convert_to_tensor(boxes)))
    np.testing.assert_allclose(corners, [[0.3, 0.4, 0.7, 0.6], [0, 0, 0.4, 0.6]], atol=1e-6)
    back = detection.center_and_size(ops.convert_to_tensor(corners))
    np.testing.assert_allclose(ops.convert_to_numpy(back), boxes, atol=1e-6)
    one, other = ops.convert_to_tensor(corners)
    shared, union = detection.iou(one, other)
    assert float(union) == pytest.approx(0.08 + 0.24 - 0.02, abs=1e-6)
    assert float(shared) == pytest.approx(0.02 / 0.3, abs=1e-6)
    expected = 0.02 / 0.3 - (0.42 - 0.3) / 0.42
    assert float(detection.generalized_iou(one, other)) == pytest.approx(expected, abs=1e-6)


def test_values_between_pixels():
    maps = np.arange(6, dtype="float32").reshape(1, 2, 3, 1)  # 0 1 2 above 3 4 5
    points = [[0.5 / 3, 0.25], [0.5, 0.5], [1.0, 0.25], [1.5, 0.5]]
    sampled = sample(ops.convert_to_tensor(maps), ops.convert_to_tensor(np.array([points], "float32")))
    np.testing.assert_allclose(ops.convert_to_numpy(sampled)[0, :, 0], [0, 2.5, 1, 0], atol=1e-6)


@dataclass(kw_only=True)
class TinyConfig(Config):
    num_queries: int = Q
    auxiliary_loss: bool = True
    class_cost: float = 1.0
    bbox_cost: float = 5.0
    giou_cost: float = 2.0
    bbox_loss_coefficient: float = 5.0
    giou_loss_coefficient: float = 2.0
    mask_loss_coefficient: float = 1.0
    dice_loss_coefficient: float = 1.0
    eos_coefficient: float = 0.1
    focal_alpha: float = 0.25
    class_weight: float = 2.0
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    no_object_weight: float = 0.1
    train_num_points: int = 16
    oversample_ratio: float = 3.0
    importance_sample_ratio: float = 0.75


class Tiny(SetPrediction):
    """A detector of tiny pictures, with two layers of predictions."""

    config_class = TinyConfig
    served = {"pixel_values": ((None, 3, SIZE, SIZE), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.hidden = keras.layers.Dense(32, "relu")
        self.outs = [keras.layers.Dense(Q * (CLASSES + 5 + 16)) for _ in range(2)]

    def predictions(self, inputs):
        """class logits (B, Q, classes + 1), boxes (B, Q, 4), masks (B, Q, 4, 4) of each layer, the last one first."""
        x = self.hidden(ops.reshape(inputs["pixel_values"], (-1, 3 * SIZE * SIZE)))
        for out in self.outs:
            y = ops.reshape(out(x), (-1, Q, CLASSES + 5 + 16))
            masks = ops.reshape(y[..., CLASSES + 5 :], (-1, Q, 4, 4))
            yield y[..., : CLASSES + 1], ops.sigmoid(y[..., CLASSES + 1 : CLASSES + 5]), masks


class TinyDetector(Tiny, ObjectDetection):
    names = ("logits", "pred_boxes")

    def call(self, inputs, training=None):
        last, other = (dict(zip(self.names, p, strict=False)) for p in self.predictions(inputs))
        return last | {"auxiliary_outputs": ({name: other[name] for name in ("logits", "pred_boxes")},)}


class TinyFocalDetector(TinyDetector):
    loss_class = detection.FocalDetectionLoss


class TinyMaskDetector(TinyDetector):
    names = ("logits", "pred_boxes", "pred_masks")


class TinySegmenter(Tiny, UniversalSegmentation):
    def call(self, inputs, training=None):
        names = ("class_queries_logits", "masks_queries_logits")
        last, other = (dict(zip(names, p[::2], strict=True)) for p in self.predictions(inputs))
        return last | {"auxiliary_logits": (other,)}


def made(cls, **options):
    keras.utils.set_random_seed(0)
    model = cls({"num_labels": CLASSES}, **options)
    # As on an accelerator: without one, Keras itself asks XLA for nothing on TensorFlow (nor do the tests above).
    model.compile(keras.optimizers.Adam(0.02), jit_compile=keras.backend.backend() != "torch")
    return model


def data(cls):
    rng = np.random.default_rng(0)
    images = rng.standard_normal((B, 3, SIZE, SIZE)).astype("float32")
    classes = np.where(np.arange(N) < [[3], [1], [0], [2]], rng.integers(0, CLASSES, (B, N)), -100)
    boxes = rng.uniform(0.2, 0.6, (B, N, 4)).astype("float32") * (classes >= 0)[..., None]
    masks = rng.integers(0, 2, (B, N, 4, 4)).repeat(2, 2).repeat(2, 3) * (classes >= 0)[..., None, None]
    labels = {"class_labels": classes}
    if cls is TinySegmenter:
        labels["mask_labels"] = masks
    else:
        labels["boxes"] = boxes
    if cls is TinyMaskDetector:
        labels["masks"] = masks
    return {"pixel_values": images}, labels


@pytest.mark.parametrize("cls", [TinyDetector, TinyFocalDetector, TinyMaskDetector, TinySegmenter])
def test_fit_learns_the_objects(cls):
    inputs, labels = data(cls)
    model = made(cls, dtype="mixed_bfloat16" if cls is TinyFocalDetector else None)
    drawn = ops.convert_to_numpy(model.points.state) if cls is TinySegmenter else None
    losses = model.fit(inputs, labels, batch_size=B, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    if cls is TinyDetector:
        best = model.predict(inputs, verbose=0)["logits"][0].argmax(-1)
        assert sorted(best[best < CLASSES]) == sorted(labels["class_labels"][0])
    if cls is TinySegmenter:  # the points of the next step are others
        assert (ops.convert_to_numpy(model.points.state) != drawn).any()


@pytest.mark.parametrize(
    ("kept", "options", "error"),
    [
        (["class_labels", "boxes"], {}, "dict of class_labels, boxes, masks, not from a dict of"),
        (None, {}, "not from what is no dict"),
        (["class_labels", "boxes", "masks"], {"sample_weight": np.ones(B)}, "sample_weight"),
    ],
)
def test_labels_that_do_not_fit_are_named(kept, options, error):
    inputs, labels = data(TinyMaskDetector)
    given = labels["boxes"] if kept is None else {name: labels[name] for name in kept}
    with pytest.raises(ValueError, match=error):
        made(TinyMaskDetector).fit(inputs, given, verbose=0, **options)

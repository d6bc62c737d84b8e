"""Maps, convolutions and their norms against PyTorch, through the fixture that tests/oracle/make_images.py made."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from keras.layers import Conv2D, DepthwiseConv2D
from model_fixtures import HERE, assert_close, unpacked
from seeded import weights

import keras_tfm as kt
from keras_tfm.layers.base import Model
from keras_tfm.layers.convolutions import BatchNorm, Convolution, DepthwiseConvolution, FrozenBatchNorm, max_pool
from keras_tfm.layers.images import channels_last, pixel_shuffle, resize
from keras_tfm.layers.vision import drop_path
from keras_tfm.presets.io.translate import ARRAYS

RECORDED = json.loads((HERE / "fixtures" / "images.json").read_text())


def last(x):
    """x (B, C, h, w) -> (B, h, w, C)."""
    return np.transpose(x, (0, 2, 3, 1))


def maps(*shape):
    return last(weights("maps", shape))


def check(ours, recorded, where=""):
    assert_close(ops.convert_to_numpy(ours), last(unpacked(recorded)), where)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_resize(mode):
    for case in RECORDED["resize"]:
        if case["options"]["mode"] == mode:
            aligned = bool(case["options"]["align_corners"])
            x = maps(1, 2, *case["old"])
            check(resize(x, case["new"], mode, aligned, case["scale"]), case["outputs"], str(case))


def test_resize_of_sizes_that_are_not_known():
    """Traced on TensorFlow, for any size; elsewhere every size is known."""
    for case in RECORDED["resize"]:
        if case["options"]["mode"] == "bilinear" and case["scale"] is None:
            x, new = maps(1, 2, *case["old"]), np.array(case["new"], "int32")
            aligned = bool(case["options"]["align_corners"])
            if keras.backend.backend() == "tensorflow":
                import tensorflow as tf

                signature = [tf.TensorSpec((None, None, None, 2)), tf.TensorSpec((2,), "int32")]
                traced = tf.function(lambda x, new, a=aligned: resize(x, (new[0], new[1]), align_corners=a), signature)
                check(traced(x, new), case["outputs"], str(case))
            else:
                check(resize(x, tuple(new.tolist()), align_corners=aligned), case["outputs"], str(case))


def test_pixel_shuffle():
    check(pixel_shuffle(maps(2, 18, 2, 3), 3), RECORDED["pixel_shuffle"])


def test_max_pool():
    for case in RECORDED["max_pool"]:
        check(max_pool(maps(1, 2, 7, 8), *case["options"]), case["outputs"], str(case["options"]))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_convolutions(groups):
    """Also those of each channel on its own."""
    x = maps(1, 4, 8, 9)
    for case in RECORDED["convolutions"]:
        if case["groups"] != groups:
            continue
        options = dict(case["options"])
        if isinstance(options["padding"], list):
            options["padding"] = tuple(options["padding"])
        layers = [(Convolution(4, groups=groups, **options), Conv2D)]
        if groups == 4:
            layers.append((DepthwiseConvolution(**options), DepthwiseConv2D))
        for layer, kind in layers:
            layer.build(x.shape)
            kernel = weights("kernel.weight", (4, 4 // groups, *[options["kernel_size"]] * 2))
            layer.set_weights([ARRAYS[kind]["kernel"].load(kernel), weights("bias", (4,))])
            y = layer(x)
            check(y, case["outputs"], f"{kind.__name__} {case['options']}")
            assert layer.compute_output_shape(x.shape) == tuple(y.shape)


def norm(cls, **options):
    """A norm of three channels with the recorded weights."""
    layer = cls(epsilon=0.01, **options)
    layer.build((None, None, None, 3))
    for ours, stored in ARRAYS[keras.layers.BatchNormalization].items():
        getattr(layer, ours).assign(weights(stored.name, (3,)))
    return layer


def batch(i):
    return last(3 * weights(f"batch{i}", (2, 3, 2, 4)) + i)


def test_batch_norm():
    layer, recorded = norm(BatchNorm, momentum=0.75), RECORDED["norm"]
    for i, outputs in enumerate(recorded["training"]):
        check(layer(batch(i), training=True), outputs, f"batch {i}")
    check(layer(batch(3), training=False), recorded["evaluation"], "evaluation")
    for ours, stored in (("moving_mean", "running_mean"), ("moving_variance", "running_var")):
        assert_close(ops.convert_to_numpy(getattr(layer, ours)), unpacked(recorded[stored]), stored)


@pytest.mark.parametrize("cls", [FrozenBatchNorm, BatchNorm])
def test_a_frozen_batch_norm_learns_nothing(cls):
    layer = norm(cls)
    layer.trainable = False
    before = [ops.convert_to_numpy(v).copy() for v in layer.weights]
    check(layer(batch(0), training=True), RECORDED["norm"]["frozen"])
    assert not layer.trainable_variables
    for variable, value in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)


@pytest.mark.parametrize("shape", [(64, 5, 3), (64, 2, 4, 3)])
def test_stochastic_depth_drops_whole_pictures(shape):
    layer, x = drop_path(0.25, axes=len(shape) - 1), np.ones(shape, "float32")
    y = ops.convert_to_numpy(layer(x, training=True)).reshape(64, -1)
    assert (y == y[:, :1]).all()
    kept = y[:, 0] != 0
    assert 0.5 < kept.mean() < 1
    np.testing.assert_allclose(y[kept], 1 / 0.75, rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x, training=False)), x)


class Normed(Model):
    """A model that does not tell its layers whether it is being trained."""

    config_class = kt.ResNetConfig
    served = {"pixel_values": ((None, 3, None, None), "float32")}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.norm, self.dropout = BatchNorm(), keras.layers.Dropout(0.5)

    def call(self, inputs, training=None):
        maps = self.norm(channels_last(inputs["pixel_values"]))
        return self.dropout(ops.mean(maps, axis=(1, 2)))


def test_training_reaches_the_layers_of_a_model():
    model, picture = Normed({}), {"pixel_values": weights("pixel_values", (8, 3, 4, 4))}
    model.compile("sgd", "mse")
    model.fit(picture, np.ones((8, 3), "float32"), verbose=0)
    assert (ops.convert_to_numpy(model.norm.moving_variance) != 1).all()
    assert (model.predict(picture, verbose=0) != 0).all()  # nothing is dropped now

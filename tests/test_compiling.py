"""`compiled(model)` against `model(...)`, whose own results the parity suite compares with the reference's."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from model_fixtures import assert_close, flat

import keras_tfm as kt
from keras_tfm.runtime.compiling import compiled

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 20,
    "initializer_range": 0.5,
}


def model_of(name="BertModel", **options):
    """A model whose biases and norms are random, too, so that a bias left out or added twice shows."""
    model = getattr(kt, name)(kt.BertConfig(**SIZES), **options)
    draw = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + 0.3 * draw.standard_normal(weight.shape))
    return model


def batch(rows, length, seed=0):
    ids = np.random.default_rng(seed).integers(1, SIZES["vocab_size"], (rows, length)).astype("int32")
    mask = np.ones_like(ids)
    mask[0, length // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask}


def check(forward, model, inputs, **options):
    """Three calls, since torch records at the second; returns what the last one gave."""
    expected = flat(model(inputs, training=False, **options))
    for _ in range(3):
        outputs = flat(forward(inputs, **options))
        assert set(outputs) == set(expected)
        for name in expected:
            values = keras.tree.flatten(outputs[name])
            assert all(type(value) is np.ndarray for value in values)
            assert_close(values, keras.tree.flatten(expected[name]), name)
    return outputs


@pytest.mark.parametrize("name", ["BertModel", "BertForMaskedLM"])
def test_equals_the_model_for_shapes_in_turn(name):
    model = model_of(name)
    forward = compiled(model)
    for seed, (rows, length) in enumerate([(2, 5), (3, 7), (2, 5)]):
        check(forward, model, batch(rows, length, seed))


def test_options_are_passed_on():
    model = model_of()
    forward = compiled(model)
    plain, inputs = check(forward, model, batch(2, 5)), batch(2, 5)
    assert len(check(forward, model, inputs, output_hidden_states=True)["hidden_states"]) == 2
    more = check(forward, model, inputs, output_hidden_states=True, output_attentions=True)
    assert more["attentions"][0].shape == (2, 2, 5, 5)
    assert set(check(forward, model, inputs)) == set(plain) == {"last_hidden_state", "pooler_output"}


def test_other_names_and_dtypes_of_inputs():
    model = model_of()
    forward = compiled(model)
    inputs = batch(2, 5)
    check(forward, model, inputs)
    check(forward, model, {"input_ids": inputs["input_ids"]})
    check(forward, model, {**inputs, "attention_mask": inputs["attention_mask"].astype("bool")})
    check(forward, model, {**inputs, "token_type_ids": np.ones_like(inputs["input_ids"])})
    check(forward, model, dict(reversed(inputs.items())))


def test_weights_assigned_between_calls_are_seen():
    model = model_of()
    forward, inputs = compiled(model), batch(2, 5)
    before = check(forward, model, inputs)["pooler_output"]
    for path in ("embeddings.word", "blocks.0.attention.query", "blocks.0.mlp.down", "pooler"):
        for weight in dict(model.named_layers())[path].weights:
            weight.assign(weight * 0.5 + 0.1)
        after = check(forward, model, inputs)["pooler_output"]
        assert np.abs(after - before).max() > 1e-3
        before = after


def test_layers_changed_between_calls_are_seen():
    model = model_of()
    forward, inputs = compiled(model), batch(2, 5)
    before = check(forward, model, inputs)["pooler_output"]
    dense = dict(model.named_layers())["blocks.0.attention.query"]
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(np.ones(dense.lora_kernel_b.shape))
    adapted = check(forward, model, inputs)["pooler_output"]
    assert np.abs(adapted - before).max() > 1e-3


def test_half_precision():
    model = model_of(dtype="bfloat16")
    forward, inputs = compiled(model), batch(2, 5)
    expected = flat(model(inputs))["last_hidden_state"]
    for _ in range(3):
        result = forward(inputs)["last_hidden_state"]
        assert result.dtype == expected.dtype == "bfloat16"
        # Compiled code rounds less often; values are near 1, where a step of bfloat16 is 0.008.
        assert np.abs(result.astype("float32") - expected.astype("float32")).mean() < 0.02


def test_model_that_reads_values():
    """Code that depends on a tensor's value cannot be compiled, but torch still runs it."""

    class Doubling(keras.Model):
        def call(self, inputs, training=None):
            x = inputs["x"]
            return x * 2 if float(keras.ops.sum(x)) > 0 else x

    model, ones = Doubling(), np.ones((2, 3), "float32")
    model({"x": ones})
    forward = compiled(model)
    if keras.backend.backend() == "torch":
        for x in (ones, ones, ones, -ones):
            np.testing.assert_array_equal(forward({"x": x}), x * 2 if x[0, 0] > 0 else x)
    else:
        with pytest.raises(TypeError):
            forward({"x": ones})


def test_threads_share_a_compiled_model():
    model = model_of()
    forward = compiled(model)
    batches = [batch(*((2, 5), (3, 7))[i % 2], seed=i) for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(forward, batches))
    for inputs, outputs in zip(batches, results, strict=True):
        assert_close(outputs["last_hidden_state"], flat(model(inputs))["last_hidden_state"])

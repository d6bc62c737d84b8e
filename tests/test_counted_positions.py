"""Decoders that number tokens by the attention mask, or bias attention by the distance, step by step with a cache."""

import keras
import numpy as np
import pytest
from model_fixtures import fixture
from numpy.testing import assert_allclose, assert_array_equal

import keras_tfm as kt
from keras_tfm.layers.positions import alibi, real_positions

MASK = np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 0, 1, 1, 0]])


def test_real_tokens_are_numbered():
    numbers = real_positions(MASK, keras.ops.arange(5))
    assert_array_equal(keras.ops.convert_to_numpy(numbers), [[0, 1, 2, 3, 4], [-1, -1, 0, 1, 2], [0, -1, 1, 2, -1]])


def test_tokens_behind_the_mask_count_as_real():
    numbers = real_positions(MASK, keras.ops.arange(4, 8))
    assert_array_equal(keras.ops.convert_to_numpy(numbers), [[4, 5, 6, 7], [2, 3, 4, 5], [-1, 3, 4, 5]])


def test_a_mask_for_each_token_cannot_be_counted():
    with pytest.raises(ValueError, match="counted by an attention_mask"):
        real_positions(np.ones((2, 5, 5)), keras.ops.arange(5))


def test_slopes_of_six_heads():
    """Those of four, 2 ** -2 .. 2 ** -8, then of eight the first and the third (arXiv:2108.12409's own code)."""
    biases = keras.ops.convert_to_numpy(alibi(np.array([[0]]), np.array([[1]]), 6))[0, :, 0, 0]
    assert_allclose(biases, [-(2.0**-n) for n in (2, 4, 6, 8, 1, 3)], rtol=1e-6)


@pytest.mark.parametrize("case", ["opt/base-OPT", "bloom/base-Bloom", "mpt/base-Mpt", "falcon/rw-Falcon"])
def test_a_padded_text_continues_as_it_does_alone(case):
    file, _, name = case.partition("-")
    cls = getattr(kt, f"{name}ForCausalLM")
    keras.utils.set_random_seed(0)
    model = cls(cls.config_class.from_dict(fixture(file)["config"], initializer_range=0.3))
    ids = np.random.default_rng(0).integers(1, 59, (2, 7)).astype("int32")
    mask = np.ones_like(ids)
    mask[1, :2] = 0
    alone = keras.ops.convert_to_numpy(model({"input_ids": ids[1:, 2:]}))
    cache, logits = model.new_cache(2, 9), []
    for start, stop in ((0, 5), (5, 6), (6, 7)):
        inputs = {"input_ids": ids[:, start:stop], "attention_mask": mask[:, :stop]}
        outputs = model(inputs, cache=cache, start=start)
        cache = outputs["past_key_values"]
        logits.append(keras.ops.convert_to_numpy(outputs["logits"])[1:])
    assert_allclose(np.concatenate(logits, 1)[:, 2:], alone, rtol=1e-4, atol=1e-4)

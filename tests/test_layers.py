"""Shared layers, where no architecture's fixture reaches."""

from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

import keras_tfm as kt
from keras_tfm.layers.heads import SequenceSummary
from keras_tfm.layers.positions import Waves


def test_a_summary_of_the_tokens_pointed_at():
    x = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)
    summary = SequenceSummary(SimpleNamespace(summary_type="cls_index"))
    index = np.array([[0, 1, 2], [3, 2, 1]])
    expected = [[x[b, i, index[b, i]] for i in range(3)] for b in range(2)]
    np.testing.assert_array_equal(ops.convert_to_numpy(summary(x, index)), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(summary(x)), x[:, :, -1])


def test_a_summary_of_no_known_type_is_refused():
    with pytest.raises(ValueError, match="cls_index.*attn"):
        SequenceSummary(SimpleNamespace(summary_type="attn"))


@pytest.mark.parametrize("name", ["Albert", "DistilBert", "FNet", "MPNet", "MobileBert", "DebertaV2", "XLM"])
def test_encoders_do_not_decode(name):
    with pytest.raises(ValueError, match=f"{name}Model is an encoder: is_decoder must be False"):
        getattr(kt, f"{name}Model")({"is_decoder": True})


@pytest.mark.parametrize("name", ["GPT2", "GPTBigCode", "Mpt"])
def test_the_dropout_of_a_classifier(name):
    """Heeded as a field and as a key that the configuration does not declare; 0.1 where nothing is said."""
    cls = getattr(kt, f"{name}ForTokenClassification")
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 9}
    rates = [cls(cls.config_class.from_dict(sizes | said)).dropout.rate for said in ({}, {"classifier_dropout": 0.3})]
    assert rates == [0.1, 0.3]


def test_waves():
    table = ops.convert_to_numpy(Waves()((2, 4), "float32"))
    expected = [[0, 1, 0, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)]]
    np.testing.assert_allclose(table, expected, atol=1e-6)

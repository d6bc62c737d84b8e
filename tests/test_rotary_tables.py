"""What models begin with where the checkpoint's tables of rotations are not read, against the papers' formulas."""

import numpy as np
from keras import ops

import keras_tfm as kt


def angles(positions, channels):
    """The angle by which each pair of channels turns, (positions, channels / 2) (arXiv:2104.09864, equation 15)."""
    return np.arange(positions)[:, None] / 10000 ** (np.arange(0, channels, 2) / channels)


def test_roformer_has_sines_and_then_cosines():
    config = kt.RoFormerModel.config_class(
        vocab_size=7, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    table = ops.convert_to_numpy(kt.RoFormerModel(config).waves.embeddings)
    expected = angles(1536, 16)
    np.testing.assert_allclose(table, np.concatenate([np.sin(expected), np.cos(expected)], 1), atol=1e-6)


def test_esm_has_the_frequencies():
    config = kt.EsmModel.config_class(
        vocab_size=7,
        pad_token_id=1,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        position_embedding_type="rotary",
    )
    frequencies = ops.convert_to_numpy(kt.EsmModel(config).blocks[0].rotation.inv_freq)
    np.testing.assert_allclose(frequencies, angles(2, 16)[1], rtol=1e-5)

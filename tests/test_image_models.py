"""What image models do beyond the parity suite: labels in other forms, chance, and bad input."""

import keras
import numpy as np
import pytest

import keras_tfm as kt

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": 16,
    "patch_size": 4,
}
PICTURES = {"pixel_values": np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype("float32")}


def test_two_heads_learn_from_the_same_labels():
    keras.utils.set_random_seed(0)
    model = kt.DeiTForImageClassificationWithTeacher(SMALL | {"initializer_range": 0.2})
    before = model(PICTURES)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(before["logits"]),
        keras.ops.convert_to_numpy(before["cls_logits"] + before["distillation_logits"]) / 2,
        rtol=1e-6,
    )
    model.compile(keras.optimizers.Adam(1e-2), metrics=["accuracy"], run_eagerly=True)
    history = model.fit(PICTURES, np.array([0, 1]), epochs=5, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert history["accuracy"][-1] == 1


def test_words_of_all_patches_or_of_the_hidden_ones_alone():
    model = kt.BeitForMaskedImageModeling(SMALL | {"use_mask_token": True, "vocab_size": 9})
    model.compile()
    hidden, words = np.arange(32).reshape(2, 16) % 3 == 0, np.arange(32).reshape(2, 16) % 9
    inputs = PICTURES | {"bool_masked_pos": hidden}
    logits = model(inputs)

    def loss_of(labels):
        return float(keras.ops.convert_to_numpy(model.compute_loss(inputs, labels, logits)))

    losses = [loss_of(labels) for labels in (words, words[hidden])]
    others = loss_of(np.where(hidden, words, 0))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6) == pytest.approx(others, rel=1e-6)


def test_chance_hides_patches_unless_noise_is_given():
    sizes = {"decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2}
    model = kt.ViTMAEModel(SMALL | sizes)
    first, second = (keras.ops.convert_to_numpy(model(PICTURES)["mask"]) for _ in range(2))
    assert (first != second).any()
    assert (first.sum(axis=1) == 12).all()  # three quarters
    noise = np.tile(np.arange(16, dtype="float32"), (2, 1))
    chosen = keras.ops.convert_to_numpy(model(PICTURES | {"noise": noise})["mask"])
    np.testing.assert_array_equal(chosen, noise >= 4)


def test_hidden_patches_need_a_mask_token():
    with pytest.raises(ValueError, match="mask token"):
        kt.BeitModel(SMALL)(PICTURES | {"bool_masked_pos": np.ones((2, 16), bool)})


def test_a_pyramid_needs_four_maps():
    with pytest.raises(ValueError, match=r"four, such as \[3, 5, 7, 11\]"):
        kt.BeitForSemanticSegmentation(SMALL)


def test_former_name_of_the_stages():
    config = kt.BeitModel.config_class.from_dict({"num_hidden_layers": 5, "segmentation_indices": [1, 2, 4, 5]})
    assert config.out_features == ["stage1", "stage2", "stage4", "stage5"]


def test_videos_of_another_length():
    model = kt.VideoMAEModel(SMALL | {"num_frames": 4})
    with pytest.raises(ValueError, match=r"\('batch', 4, 3, 16, 16\), not \(1, 2, 3, 16, 16\)"):
        model({"pixel_values": np.zeros((1, 2, 3, 16, 16), "float32")})

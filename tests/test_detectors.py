"""What detectors do where the reference fails, or has no say."""

import keras
import numpy as np
import pytest
from model_fixtures import fixture, state, write_preset
from recipe import image
from safetensors.numpy import save_file

import keras_tfm as kt

REFINED = "deformable_detr/refined", "DeformableDetrForObjectDetection"
TWO_STAGES = "deformable_detr/two_stages"


def test_the_blocks_of_yolos_learn_each():
    """The reference asks its encoder for states that it does not have."""
    config = kt.YolosForObjectDetection.config_class.from_dict(fixture("yolos/base")["config"], auxiliary_loss=True)
    keras.utils.set_random_seed(0)
    model, inputs = kt.YolosForObjectDetection(config), image(2, 12, 8)
    outputs = model(inputs, output_hidden_states=True, training=False)
    auxiliary, states = outputs["auxiliary_outputs"], outputs["hidden_states"]
    assert len(auxiliary) == config.num_hidden_layers - 1
    for found, hidden in [(auxiliary[0], states[1]), (auxiliary[1], states[2]), (outputs, states[3])]:
        expected = model.predict_objects(model.backbone.norm(hidden))
        for name in ("logits", "pred_boxes"):
            np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (found[name], expected[name])), atol=1e-5)
    assert "hidden_states" not in model(inputs)
    objects = {"class_labels": np.zeros((2, 1), "int32"), "boxes": np.full((2, 1, 4), 0.5, "float32")}
    alone = {name: outputs[name] for name in ("logits", "pred_boxes")}
    model.compile()
    whole, last = (keras.ops.convert_to_numpy(model.compute_loss(inputs, objects, y)) for y in (outputs, alone))
    assert whole > 1.5 * last


@pytest.mark.parametrize("twice", [False, True])
def test_boxes_that_the_decoder_moves_may_be_stored_as_the_heads(tmp_path, twice):
    write_preset(tmp_path, *REFINED)
    expected = kt.DeformableDetrForObjectDetection.from_preset(tmp_path)
    stored = state(*REFINED)
    lent = {name.removeprefix("model.decoder."): array for name, array in stored.items() if "bbox_embed" in name}
    kept = {name: array for name, array in stored.items() if twice or "bbox_embed" not in name}
    save_file(kept | lent, tmp_path / "model.safetensors", {"format": "pt"})
    model = kt.DeformableDetrForObjectDetection.from_preset(tmp_path)
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (ours, theirs)), err_msg=ours.path)
    backbone = kt.DeformableDetrModel.from_preset(tmp_path)  # which has no use for them
    assert backbone.count_params() < model.count_params()


def test_two_stages_need_a_head_and_pixels():
    config = kt.DeformableDetrForObjectDetection.config_class.from_dict(fixture(TWO_STAGES)["config"])
    with pytest.raises(ValueError, match="DeformableDetrForObjectDetection"):
        kt.DeformableDetrModel(config)
    with pytest.raises(ValueError, match=r"4 pixels.*two_stage_num_proposals 6"):
        kt.DeformableDetrForObjectDetection(config)(image(2, 8, 8))
    with pytest.raises(ValueError, match="with_box_refine"):
        kt.DeformableDetrModel({"two_stage": True})


def test_the_backbone_may_not_hand_out_more_maps_than_there_are_levels():
    config = kt.DeformableDetrModel.config_class.from_dict(fixture("deformable_detr/base")["config"])
    config.num_feature_levels = 2
    with pytest.raises(ValueError, match="hands out 3 maps"):
        kt.DeformableDetrModel(config)

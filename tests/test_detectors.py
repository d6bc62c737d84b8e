"""What detectors do where the reference fails."""

import keras
import numpy as np
from model_fixtures import fixture
from recipe import image

import keras_tfm as kt


def test_the_blocks_of_yolos_learn_each():
    """The reference asks its encoder for states that it does not have."""
    config = kt.YolosForObjectDetection.config_class.from_dict(fixture("yolos/base")["config"], auxiliary_loss=True)
    keras.utils.set_random_seed(0)
    model, inputs = kt.YolosForObjectDetection(config), image(2, 12, 8)
    outputs = model(inputs, output_hidden_states=True, training=False)
    auxiliary, states = outputs["auxiliary_outputs"], outputs["hidden_states"]
    assert len(auxiliary) == config.num_hidden_layers - 1
    for found, state in [(auxiliary[0], states[1]), (auxiliary[1], states[2]), (outputs, states[3])]:
        expected = model.predict_objects(model.backbone.norm(state))
        for name in ("logits", "pred_boxes"):
            np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (found[name], expected[name])), atol=1e-5)
    assert "hidden_states" not in model(inputs)
    objects = {"class_labels": np.zeros((2, 1), "int32"), "boxes": np.full((2, 1, 4), 0.5, "float32")}
    alone = {name: outputs[name] for name in ("logits", "pred_boxes")}
    model.compile()
    whole, last = (float(model.compute_loss(inputs, objects, given)) for given in (outputs, alone))
    assert whole > 1.5 * last

"""Detectors: backbones that are frozen, timm's by their names, and what is refused."""

import keras
import numpy as np
import pytest

import keras_tfm as kt

STAGES = ["stage1", "stage2", "stage3", "stage4"]
SMALL = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "num_queries": 3}
SMALL |= {f"{side}_{field}": 8 for side in ("encoder", "decoder") for field in ("ffn_dim", "attention_heads")}


def resnet(stages=STAGES):
    sizes = {"embedding_size": 8, "hidden_sizes": [8] * 4, "depths": [1] * 4, "layer_type": "basic"}
    return kt.ResNetConfig(**sizes, out_features=stages)


def detector(cls=kt.DetrForObjectDetection, stages=STAGES, **options):
    return cls(cls.config_class(backbone_config=resnet(stages), **SMALL, **options))


def learns(model):
    """The layers of the backbone whose weights a step of training changes."""
    model.compile(keras.optimizers.SGD(0.1))
    layers = [
        (path, layer) for path, layer in model.backbone.extractor.named_layers() if not hasattr(layer, "named_layers")
    ]
    before = {path: [keras.ops.convert_to_numpy(w).copy() for w in layer.weights] for path, layer in layers}
    pixels = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype("float32")
    boxes = np.full((2, 1, 4), 0.5, "float32")
    model.fit({"pixel_values": pixels}, {"class_labels": np.zeros((2, 1), "int32"), "boxes": boxes}, verbose=0)
    return {
        path
        for path, layer in layers
        for old, new in zip(before[path], layer.weights, strict=True)
        if not np.array_equal(old, keras.ops.convert_to_numpy(new))
    }


def test_norms_the_stem_and_the_first_stage_stay_until_all_is_unfrozen():
    model = detector()
    names = {path for path in learns(model)}
    assert names
    assert not any("norm" in path or path.startswith(("embeddings", "stages.0")) for path in names)
    model.backbone.extractor.unfreeze()
    assert {"embeddings.convolution", "embeddings.norm", "stages.0.blocks.0.convolutions.0.norm"} <= learns(model)


def test_backbones_are_named_as_timm_names_them():
    with pytest.raises(ValueError, match=r"resnet18, .*resnet152, not 'resnest50d'"):
        kt.DetrModel(kt.DetrConfig(backbone="resnest50d", **SMALL))
    with pytest.raises(ValueError, match="output_stride must be 8, 16 or 32"):
        kt.TimmBackboneConfig(backbone="resnet18", output_stride=4)


def test_a_backbone_of_timms_hands_out_maps_at_half_the_size_and_smaller():
    config = kt.TimmBackboneConfig(backbone="resnet18", out_indices=[0, 1, 4], output_stride=8)
    shapes = [
        x.shape for x in kt.TimmBackbone(config)({"pixel_values": np.zeros((1, 3, 64, 32), "float32")})["feature_maps"]
    ]
    assert shapes == [(1, 64, 32, 16), (1, 64, 16, 8), (1, 512, 8, 4)]
    assert "out_features" not in config.to_dict()


def test_what_is_refused():
    with pytest.raises(ValueError, match="position_embedding_type"):
        kt.DetrConfig(position_embedding_type="rotary")
    with pytest.raises(ValueError, match="made of four maps, the backbone hands out 1"):
        detector(kt.DetrForSegmentation, stages=STAGES[3:])
    pixels = np.zeros((1, 3, 32, 32), "float32")
    with pytest.raises(ValueError, match=r"pixel_mask must be \(batch, height, width\)"):
        detector()({"pixel_values": pixels, "pixel_mask": np.ones((1, 32), "int32")})
    with pytest.raises(ValueError, match="learned positions reach to 50 pixels"):
        detector(position_embedding_type="learned", stages=STAGES[:1])(
            {"pixel_values": np.zeros((1, 3, 204, 8), "float32")}
        )

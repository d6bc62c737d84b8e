"""DPR's three classes: which of them a checkpoint is of, and what older checkpoints carry besides."""

import numpy as np
import pytest
from model_fixtures import state, write_preset
from safetensors.numpy import save_file

import keras_tfm as kt

FILE = "dpr/base"


@pytest.mark.parametrize("name", ["DPRQuestionEncoder", "DPRContextEncoder", "DPRReader"])
def test_the_checkpoint_says_which_of_them_it_is(name, tmp_path):
    assert type(kt.AutoModel.from_preset(write_preset(tmp_path, FILE, name))).__name__ == name


def test_without_a_word_of_it_the_classes_are_named():
    with pytest.raises(ValueError, match="DPRContextEncoder, DPRQuestionEncoder, DPRReader"):
        kt.AutoModel.from_config(kt.DPRConfig())


def test_the_pooler_of_old_checkpoints_is_left_unused(tmp_path):
    write_preset(tmp_path, FILE, "DPRQuestionEncoder")
    unused = {
        "pooler.dense.weight": np.ones((32, 32), "float32"),
        "pooler.dense.bias": np.ones(32, "float32"),
        "embeddings.position_ids": np.arange(24)[None],
    }
    tensors = state(FILE, "DPRQuestionEncoder") | {f"question_encoder.bert_model.{k}": v for k, v in unused.items()}
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    kt.DPRQuestionEncoder.from_preset(tmp_path)


def test_another_encoder_than_the_checkpoints_is_refused(tmp_path):
    write_preset(tmp_path, FILE, "DPRContextEncoder")
    with pytest.raises(ValueError, match=r"Missing tensors: question_encoder.*Tensors of no layer: ctx_encoder"):
        kt.DPRQuestionEncoder.from_preset(tmp_path)

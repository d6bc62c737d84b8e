"""Generation options: files of the Hub, configurations derived from models', and what does not go together."""

import json
import warnings
from pathlib import Path

import pytest

import keras_tfm as kt
from keras_tfm import GenerationConfig

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "generation" / "configs.json").read_text())
TINY = {"vocab_size": 11, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 8}


def write(folder, **files):
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("name", FIXTURE["files"])
def test_files_are_read_and_written_as_by_the_reference(name, tmp_path):
    case = FIXTURE["files"][name]
    config = GenerationConfig.from_preset(write(tmp_path, generation_config=case["stored"]))
    config.save_preset(tmp_path / "saved")
    stored = json.loads((tmp_path / "saved" / "generation_config.json").read_text())
    assert stored == case["read"] | {k: v for k, v in case["stored"].items() if k == "transformers_version"}
    assert GenerationConfig.from_pretrained(tmp_path / "saved") == config


@pytest.mark.parametrize("name", FIXTURE["derived"])
@pytest.mark.parametrize("file", [None, {"_from_model_config": True, "max_length": 7}])
def test_a_model_without_a_file_of_its_own(name, file, tmp_path):
    case = FIXTURE["derived"][name]
    write(tmp_path, config=case["config"])
    if file:
        write(tmp_path, generation_config=file)
    assert GenerationConfig.from_preset(tmp_path).to_dict() == case["read"]


@pytest.mark.parametrize(("options", "mode"), FIXTURE["modes"])
def test_mode(options, mode):
    assert GenerationConfig(**options).mode == mode.removesuffix("_search")


@pytest.mark.parametrize("case", FIXTURE["checks"], ids=lambda case: str(case["options"]))
def test_what_the_reference_refuses_or_warns_of(case):
    config = GenerationConfig(**({"eos_token_id": 1, "pad_token_id": 0, "max_length": 6} | case["options"]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if case["refused"]:
            with pytest.raises(ValueError, match="|".join(case["options"])):
                config.validate()
        else:
            config.validate()
    idle = {option.partition("=")[0] for w in caught for option in str(w.message).partition(" has ")[0].split(", ")}
    assert idle == set(case["idle"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_length": -1}, "min_length must be a whole number, at least 0, not -1"),
        ({"max_length": 5.5}, "max_length must be a whole number, at least 1, not 5.5"),
        ({"do_sample": True, "temperature": "hot"}, "temperature must be a number above 0 .do_sample=False"),
        ({"do_sample": True, "top_p": 1.5}, "top_p must be a number from 0 to 1, not 1.5"),
        ({"do_sample": True, "min_p": -0.5}, "min_p must be a number from 0 to 1, not -0.5"),
        ({"min_length": 30}, "min_length=30 is more than max_length=20: set one"),
        ({"max_new_tokens": 2, "min_new_tokens": 3}, "min_new_tokens=3 is more than max_new_tokens=2"),
        ({"force_words_ids": [[3]]}, "force_words_ids need beam search: set num_beams to 2 or more"),
        ({"force_words_ids": [[3]], "num_beams": 2, "do_sample": True}, "set do_sample=False"),
        ({"force_words_ids": [[3]], "num_beams": 4, "num_beam_groups": 2}, "set num_beam_groups=1"),
        ({"constraints": [[3]], "num_beams": 2}, "constraints must be PhrasalConstraints or DisjunctiveConstraints"),
        ({"constraints": [kt.PhrasalConstraint([3, 11])], "num_beams": 2}, r"constraints has the tokens \[11\]"),
        ({"exponential_decay_length_penalty": (5, 1.1)}, "set eos_token_id"),
        ({"exponential_decay_length_penalty": 5}, "exponential_decay_length_penalty must be a pair"),
        ({"stop_strings": [3]}, "stop_strings must be strings, or one"),
        ({"sequence_bias": [3]}, r"sequence_bias must be sequences of tokens, .* not \[3\]"),
        ({"forced_eos_token_id": 3, "suppress_tokens": [3]}, "forced_eos_token_id=3 is also in suppress_tokens"),
        ({"forced_decoder_ids": [3]}, "forced_decoder_ids must be pairs of a position and a token"),
        ({"suppress_tokens": [3, 50]}, r"suppress_tokens has the tokens \[50\], and the model only those below 11"),
        ({"bad_words_ids": [[3], [4, 11]]}, r"bad_words_ids has the tokens \[11\]"),
        ({"sequence_bias": {(3, 12): 1.0}}, r"sequence_bias has the tokens \[12\]"),
    ],
    ids=str,
)
def test_what_is_refused_besides(options, message):
    with pytest.raises(ValueError, match=message):
        GenerationConfig(**options).validate(vocabulary=11)


def test_updated_is_a_copy():
    config = GenerationConfig.from_dict({"top_k": 3, "is_multilingual": True})
    changed = config.updated(top_k=4, sequence_bias={(5,): 1.0})
    changed.extra["is_multilingual"] = False
    assert (config.top_k, config.sequence_bias, config.extra) == (3, None, {"is_multilingual": True})
    assert (changed.top_k, changed.sequence_bias) == (4, {(5,): 1.0})


def test_an_unknown_option():
    with pytest.raises(TypeError, match="no generation option 'max_new_token'; did you mean 'max_new_tokens'?"):
        GenerationConfig().updated(max_new_token=3)
    with pytest.raises(TypeError, match="no generation option 'zzz'$"):
        GenerationConfig().updated(zzz=3)
    with pytest.raises(AttributeError):
        GenerationConfig().max_new_token = 3


def test_none_is_the_default_where_there_is_no_off():
    assert GenerationConfig(num_beams=None, do_sample=None, max_length=None) == GenerationConfig()
    assert GenerationConfig(top_k=None).top_k is None


def test_sequence_bias_in_every_spelling():
    expected = {(5, 3): -1.5, (7,): 2.0}
    for stored in ([[[5, 3], -1.5], [[7], 2.0]], {"(5, 3)": -1.5, "(7,)": 2.0}, expected):
        config = GenerationConfig.from_dict({"sequence_bias": stored})
        assert config.sequence_bias == expected
        assert config.to_dict() == {"sequence_bias": [[[5, 3], -1.5], [[7], 2.0]]}


def test_repr_shows_what_differs():
    assert repr(GenerationConfig(max_new_tokens=5)) == "GenerationConfig(max_new_tokens=5)"


def test_generation_fields_of_a_decoder():
    config = {"model_type": "vision-encoder-decoder", "max_length": 30, "decoder": {"max_length": 9, "num_beams": 2}}
    assert GenerationConfig.from_model_config(config).to_dict() == {"max_length": 30, "num_beams": 2}


def test_constraints_are_not_stored(tmp_path):
    with pytest.raises(ValueError, match="use force_words_ids"):
        GenerationConfig(constraints=[object()]).save_preset(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_without_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        GenerationConfig.from_preset(tmp_path)


def test_a_model_keeps_its_generation_config(tmp_path):
    model = kt.GPT2LMHeadModel(kt.GPT2Config(**TINY, eos_token_id=9))
    model.save_preset(tmp_path)
    write(tmp_path, generation_config={"do_sample": True, "top_k": 5, "eos_token_id": [9, 10], "lang_to_id": {"en": 3}})
    loaded = kt.AutoModelForCausalLM.from_preset(tmp_path)
    assert loaded.generation_config == GenerationConfig.from_preset(tmp_path)
    loaded.generation_config = loaded.generation_config.updated(max_new_tokens=3)
    loaded.save_preset(tmp_path / "saved")
    stored = json.loads((tmp_path / "saved" / "generation_config.json").read_text())
    assert stored == {
        "do_sample": True,
        "eos_token_id": [9, 10],
        "lang_to_id": {"en": 3},
        "max_new_tokens": 3,
        "top_k": 5,
    }


def test_a_model_without_a_file_has_what_its_configuration_says(tmp_path):
    kt.GPT2LMHeadModel(kt.GPT2Config(**TINY, eos_token_id=9)).save_preset(tmp_path)
    (tmp_path / "generation_config.json").unlink()
    for load_weights in (True, False):
        loaded = kt.GPT2LMHeadModel.from_preset(tmp_path, load_weights=load_weights, eos_token_id=7)
        assert loaded.generation_config == GenerationConfig(bos_token_id=50256, eos_token_id=7)


def test_a_backbone_has_none(tmp_path):
    model = kt.GPT2Model(kt.GPT2Config(**TINY))
    model.save_preset(tmp_path)
    assert not (tmp_path / "generation_config.json").exists()
    assert not hasattr(kt.GPT2Model.from_preset(tmp_path), "generation_config")

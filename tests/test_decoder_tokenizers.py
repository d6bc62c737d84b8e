"""Tokenizers of decoders, beyond what every family is tested for: growing texts, gaps, cut programs, options."""

import json
import re
import sys
import threading

import pytest
from test_tokenizer_families import class_of, fixture, write_folder

from keras_tfm import AutoTokenizer
from keras_tfm.tokenizers import CodeLlamaTokenizer, LlamaTokenizer, class_for


@pytest.fixture
def load(tmp_path):
    """(family, form, options) -> the tokenizer of the family's first variant."""

    def make(family, form="files", **options):
        name, first = next(iter(fixture(family)["variants"].items()))
        folder = tmp_path / f"{family}-{form}"
        if not folder.exists():
            write_folder(folder, family, name, form)
        return class_of(family).from_preset(folder, **first["options"] | options)

    return make


@pytest.mark.parametrize("form", ["files", "fast_saved"])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_growing_texts(family, form, load):
    """What streaming decodes: more and more ids, some of which end inside of a character."""
    tokenizer = load(family, form)
    for ids, text in fixture(family)["more"]:
        assert tokenizer.decode(ids) == text
    assert any(text.endswith("\ufffd") for _, text in fixture(family)["more"])


@pytest.mark.parametrize("form", ["files", "fast_saved"])
def test_programs_are_cut(form, load):
    tokenizer = load("codegen", form)
    for ids, patterns, text in fixture("codegen")["more"]:
        assert tokenizer.decode(ids, truncate_before_pattern=patterns) == text


def test_gaps(load):
    tokenizer = load("code_llama", "fast_saved")
    for text, options, ids in fixture("code_llama")["more"]:
        assert tokenizer.encode(text, **options) == ids
        assert tokenizer([text, "c", text], **options)["input_ids"][[0, 2], -len(ids) :].tolist() == [ids, ids]
    assert tokenizer.decode(tokenizer.encode("a<FILL_ME>b"), skip_special_tokens=True) == "ab"
    named = ("prefix", "middle", "suffix", "eot")
    assert [getattr(tokenizer, f"{name}_token") for name in named] == tokenizer.additional_special_tokens
    assert [getattr(tokenizer, f"{name}_id") for name in named] == tokenizer.all_special_ids[-4:]


def test_gaps_of_the_model_file_alone(load):
    tokenizer = load("code_llama")
    for text, options, ids in fixture("code_llama")["more"]:
        assert tokenizer.encode(text, **options) == ids


def test_gaps_among_threads(load):
    tokenizer, wrong = load("code_llama", "fast_saved"), []
    texts = ["a<FILL_ME>b", "the cat"]
    ids = [tokenizer.encode(text) for text in texts]

    def work():
        if any([tokenizer.encode(text) for text in texts] != ids for _ in range(20)):
            wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (["a", "a<FILL_ME>b<FILL_ME>c"], {}, r"text\[1\] has more than one <FILL_ME>"),
        ("a<FILL_ME>b", {"middle_token": None}, "a gap needs prefix_token, middle_token and suffix_token"),
    ],
)
def test_bad_gaps(text, options, message, load):
    with pytest.raises(ValueError, match=message):
        load("code_llama", **options)(text)


def test_no_gaps(load):
    tokenizer = load("code_llama", fill_token=None)
    assert tokenizer.decode(tokenizer.encode("a<FILL_ME>b"), skip_special_tokens=True) == "a<FILL_ME>b"
    assert load("code_llama", eot_token=None).eot_id is None


@pytest.mark.parametrize("family", ["llama", "gemma", "code_llama"])
def test_framing_can_be_set(family, load, tmp_path):
    tokenizer = load(family)
    plain = tokenizer.encode("the cat", add_special_tokens=False)
    assert tokenizer.encode("the cat") == [tokenizer.bos_token_id, *plain]
    tokenizer.add_bos_token, tokenizer.add_eos_token = False, True
    assert tokenizer.encode("the cat") == [*plain, tokenizer.eos_token_id]
    tokenizer.save_preset(tmp_path / "saved")
    assert type(tokenizer).from_preset(tmp_path / "saved").encode("the cat") == [*plain, tokenizer.eos_token_id]


def test_framing_needs_its_token(load):
    with pytest.raises(ValueError, match="add_bos_token=True, and there is no bos_token: name it, or pass"):
        load("llama", bos_token=None)
    assert load("llama", bos_token=None, add_bos_token=False).bos_token is None


def test_shorter_texts_are_padded_at_the_reference_s_side(load):
    sides = {
        "llama": "left",
        "code_llama": "left",
        "gemma": "left",
        "gpt2": "right",
        "bloom": "right",
        "qwen2": "right",
    }
    for family, side in sides.items():
        assert load(family).padding_side == side, family


def test_words_are_cut_from_either_file(load):
    """The reference's slow class does not cut them."""
    for name in ("plain", "punctuation", "chinese", "chinese_lines"):
        text = fixture("cpm")["texts"][name]
        assert load("cpm_model", cut_words=True).encode(text) == load("cpm").encode(text)
    pair = load("cpm")("the cat", "the dog")
    assert pair["token_type_ids"][0, -1] == 2
    assert 1 in pair["token_type_ids"]


def test_words_need_their_package(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(ImportError, match="cut_words=True needs the package jieba: pip install jieba"):
        load("cpm")
    assert load("cpm", cut_words=False).tokenize("the cat")


@pytest.mark.parametrize(
    ("model_type", "name"),
    [
        ("mixtral", "LlamaTokenizer"),
        ("opt", "GPT2Tokenizer"),
        ("phi", "CodeGenTokenizer"),
        ("mpt", "GPTNeoXTokenizer"),
        ("falcon", "Tokenizer"),
        ("gpt-sw3", "GPTSw3Tokenizer"),
    ],
)
def test_the_class_of_an_architecture(model_type, name):
    assert class_for(model_type).__name__ == name


def test_llama_is_found_by_model_type_alone(load, tmp_path):
    load("llama", "fast_saved")
    folder = tmp_path / "llama-fast_saved"
    (folder / "tokenizer_config.json").unlink()
    (folder / "config.json").write_text(json.dumps({"model_type": "mistral"}))
    assert type(AutoTokenizer.from_preset(folder)) is LlamaTokenizer


def test_classes_know_their_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape("found no tokenizer.json or tokenizer.model")):
        CodeLlamaTokenizer.from_preset(tmp_path)
    with pytest.raises(FileNotFoundError, match=re.escape("for BloomTokenizer: found no tokenizer.json.")):
        class_of("bloom").from_preset(tmp_path)

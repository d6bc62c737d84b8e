"""Files of the package tiktoken against what it makes of awkward texts (tests/oracle/make_tiktoken.py)."""

import json
from pathlib import Path

import pytest

from keras_tfm import AutoTokenizer
from keras_tfm.tokenizers import Llama3Tokenizer, LlamaTokenizer, QWenTokenizer, TikTokenTokenizer, Tokenizer

RECORDED = json.loads((Path(__file__).parent / "fixtures" / "tokenizers" / "tiktoken.json").read_text("utf-8"))
TEXTS, CASES = RECORDED["texts"], RECORDED["cases"]
GPT4 = {
    "vocab_file": "cl100k_base.tiktoken",
    "added_tokens_decoder": {i: {"content": t, "special": True} for t, i in CASES["gpt4"]["special"].items()},
}


@pytest.fixture
def folder(tmp_path):
    for name in ("tokenizer.model", "qwen.tiktoken", "cl100k_base.tiktoken"):
        (tmp_path / name).write_text(RECORDED["ranks"])
    return tmp_path


def load(name, folder):
    if name == "gpt4":
        return TikTokenTokenizer.from_preset(folder, **GPT4)
    return {"llama3": Llama3Tokenizer, "qwen": QWenTokenizer}[name].from_preset(folder)


@pytest.mark.parametrize("name", CASES)
def test_awkward_texts(name, folder, tmp_path):
    tokenizer = load(name, folder)
    tokenizer.save_preset(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_text())
    assert saved["tokenizer_class"] == "PreTrainedTokenizerFast"  # the reference knows no other that could read it
    again = AutoTokenizer.from_preset(tmp_path / "saved")
    assert type(again) is Tokenizer
    for loaded in (tokenizer, again):
        assert loaded.get_vocab().items() >= CASES[name]["special"].items()
        for key, ids in CASES[name]["ids"].items():
            assert loaded.encode(TEXTS[key], add_special_tokens=False) == ids, key
            text = loaded.decode(ids, clean_up_tokenization_spaces=False)
            assert text == TEXTS[key] or name == "qwen" and loaded.encode(text, add_special_tokens=False) == ids
        assert {*loaded(["a", "a"])} == {"input_ids", "attention_mask"}


def test_special_tokens(folder):
    tokenizer = load("llama3", folder)
    ids = tokenizer.encode("the cat")
    assert ids[0] == tokenizer.bos_token_id == CASES["llama3"]["special"]["<|begin_of_text|>"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the cat"
    assert len(tokenizer.additional_special_tokens) == 256
    assert load("qwen", folder)(["the", "the cat"])["input_ids"][0, -1] == CASES["qwen"]["special"]["<|endoftext|>"]
    with pytest.raises(ValueError, match="no pad_token"):
        load("gpt4", folder)(["the", "the cat"])
    instruct = Llama3Tokenizer.from_preset(folder, eos_token="<|eot_id|>", pad_token="<|pad|>")
    assert instruct.pad_token_id == len(instruct) - 1
    assert instruct.eos_token_id == CASES["llama3"]["special"]["<|eot_id|>"]


def test_the_class_is_found(folder):
    (folder / "config.json").write_text('{"model_type": "qwen"}')
    assert type(AutoTokenizer.from_preset(folder)) is QWenTokenizer
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "QWenTokenizer"}')
    assert type(AutoTokenizer.from_preset(folder)) is QWenTokenizer
    with pytest.raises(ValueError, match="tokenizer.model is of tiktoken's kind, .* load it with Llama3Tokenizer"):
        LlamaTokenizer.from_preset(folder)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"IQ== 0\nIg==", "is damaged or no file of tiktoken's ranks"),
        (b"IQ== 0\nI!== 1\n", "is damaged or no file of tiktoken's ranks"),
        (b"IQ== x\n", "is damaged or no file of tiktoken's ranks"),
        (b"\x0a\x03\x0a\x01a\x12\x02\x18\x04\x1a\x00", "is damaged or no file of tiktoken's ranks"),
        (b"IQ== 0\nIg== 1\n", "is damaged: it lacks 254 of the 256 bytes"),
        (b"", "is damaged: it lacks 256 of the 256 bytes"),
    ],
)
def test_damaged_files(data, message, tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(data)
    with pytest.raises(ValueError, match=f"tokenizer.model {message}"):
        TikTokenTokenizer.from_preset(tmp_path)


def test_files_outside_the_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not a file inside it"):
        TikTokenTokenizer.from_preset(tmp_path, vocab_file="../ranks")
    with pytest.raises(FileNotFoundError, match=r"found no tokenizer.json or o200k_base.tiktoken"):
        TikTokenTokenizer.from_preset(tmp_path, vocab_file="o200k_base.tiktoken")

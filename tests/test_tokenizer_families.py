"""Every tokenizer family against the reference's recorded outputs, from each of the forms that its files come in.

A family is tested by its fixture alone (tests/oracle/make_tokenizer_families.py). Where the reference has a fast class,
that one counts. From the vocabulary files alone its slow class counts, but for the texts that the fixture's `differs`
lists, which the `tokenizers` library cannot split like it.
"""

import base64
import copy
import json
import pickle
import random
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas
import pytest
from tokenizers import AddedToken

import keras_tfm as kt
from keras_tfm import tokenizers

FIXTURES = Path(__file__).parent / "fixtures" / "tokenizers" / "families"
FAMILIES = sorted(path.stem for path in FIXTURES.glob("*.json"))


@cache
def fixture(family):
    return json.loads((FIXTURES / f"{family}.json").read_text("utf-8"))


def class_of(family):
    return getattr(tokenizers, fixture(family)["class"])


def forms(family, name):
    """The forms in which a variant's files come: bare vocabulary files, with the slow class's JSON, tokenizer.json."""
    saved = fixture(family)["variants"][name]["saved"]
    return ["files", *(f"{kind}_saved" for kind in saved)]


def write_folder(folder, family, name, form):
    """The files of a variant in one of its forms."""
    recorded = fixture(family)
    saved = recorded["variants"][name]["saved"]
    folder.mkdir()
    if form != "fast_saved":
        for file, content in recorded["files"].items():
            binary = "base64" in content
            data = base64.b64decode(content["base64"]) if binary else content["text"].encode("utf-8")
            (folder / file).write_bytes(data)
    if form != "files":
        for file, content in saved[form.removesuffix("_saved")].items():
            content = content | ({"model": recorded["model"]} if file == "tokenizer.json" else {})
            (folder / file).write_text(json.dumps(content), "utf-8")
    return folder


VARIANTS = [
    pytest.param(family, name, form, resaved, id="-".join([family, name, form, *(["resaved"] if resaved else [])]))
    for family in FAMILIES
    for name in fixture(family)["variants"]
    for form in forms(family, name)
    for resaved in (False, True)
]


@pytest.fixture(scope="module")
def loaded(request, tmp_path_factory):
    """(the recorded variant, the tokenizer of ours)."""
    family, name, form, resaved = request.param
    folder, variant = tmp_path_factory.mktemp("preset"), fixture(family)["variants"][name]
    options = variant["options"] if form == "files" else {}
    tokenizer = class_of(family).from_preset(write_folder(folder / "hub", family, name, form), **options)
    if resaved:
        tokenizer.save_preset(folder / "saved")
        tokenizer = class_of(family).from_preset(folder / "saved")
    return tokenizer


def each_variant(test):
    """Parametrised over (family, name, form) with the tokenizer that is loaded from that form."""
    cases = [pytest.param(*case.values[:3], case.values, id=case.id) for case in VARIANTS]
    return pytest.mark.parametrize(("family", "name", "form", "loaded"), cases, indirect=["loaded"])(test)


def expected_texts(family, name):
    """Text name -> recorded outputs; variants after the first hold only what differs from it."""
    variants = fixture(family)["variants"]
    first = next(iter(variants))
    if name == first:
        return variants[first]["texts"]
    kept = ("input_ids", "without_special", "offsets")
    return {
        text: {key: outputs[key] for key in kept if key in outputs} | variants[name]["texts"][text]
        for text, outputs in variants[first]["texts"].items()
    }


@each_variant
def test_awkward_texts(family, name, form, loaded):
    variant, texts = fixture(family)["variants"][name], fixture(family)["texts"]
    slow = {} if form == "fast_saved" else variant.get("slow", {})
    differing, decoded_differently = [], []
    for text, case in expected_texts(family, name).items():
        output = loaded(texts[text], return_offsets_mapping="offsets" in case)
        ids = output["input_ids"][0].tolist()
        if ids != slow.get(text, case["input_ids"]):
            differing.append(text)
        if ids != case["input_ids"]:
            continue  # offsets and texts are the fast class's, if there is one
        if "offsets" in case:
            assert output["offset_mapping"][0].ravel().tolist() == case["offsets"], text
        if "tokens" in case:
            assert loaded.convert_ids_to_tokens(ids) == case["tokens"], text
        if decoded(loaded, ids, case) != {key: case[key] for key in DECODING if key in case}:
            decoded_differently.append(text)
    known = variant.get("mended", ()) if form == "fast_saved" else variant["differs"]
    assert differing == [text for text in texts if text in known]
    assert decoded_differently == [text for text in texts if text in variant.get("decodes_differently", ())]


DECODING = {
    "decoded": {"clean_up_tokenization_spaces": False},
    "without_special": {"skip_special_tokens": True, "clean_up_tokenization_spaces": False},
    "cleaned": {"skip_special_tokens": True, "clean_up_tokenization_spaces": True},
}


def decoded(tokenizer, ids, case):
    return {key: tokenizer.decode(ids, **options) for key, options in DECODING.items() if key in case}


@each_variant
def test_calls(family, name, form, loaded):
    for recorded in fixture(family)["variants"][name]["calls"]:
        call, expected = recorded["call"], recorded["output"]
        if form != "fast_saved" and "slow" in recorded:
            expected = recorded["slow"]
        flags = {"offset_mapping": "offsets_mapping"}
        asked = {f"return_{flags.get(key, key)}": True for key in expected if key not in ("input_ids", "labels")}
        output = loaded(**call, **asked)
        if name == next(iter(fixture(family)["variants"])):
            assert set(loaded(**call)) == {"input_ids", "labels", *loaded.model_input_names} & set(expected)
        assert {key: array.tolist() for key, array in output.items()} == expected, call


@each_variant
def test_special_tokens(family, name, form, loaded):
    variant = fixture(family)["variants"][name]
    for key in ("special_tokens_map", "all_special_ids", "vocab_size"):
        assert getattr(loaded, key) == variant[key]
    assert len(loaded) == variant["length"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_class_is_found(family, tmp_path):
    """By its name with and without Fast in tokenizer_config.json, by its name or model_type in config.json."""
    recorded, cls = fixture(family), class_of(family)
    name, first = next(iter(recorded["variants"].items()))
    folder = write_folder(tmp_path / "hub", family, name, "files")
    names = ["PreTrainedTokenizerFast"] if cls is tokenizers.Tokenizer else [cls.__name__, f"{cls.__name__}Fast"]
    if "model" in recorded:  # the reference has a fast class
        assert getattr(tokenizers, names[-1]) is cls
    for name in names:
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
        assert type(kt.AutoTokenizer.from_preset(folder, **first["options"])) is cls
    (folder / "tokenizer_config.json").unlink()
    named = {"model_type": "bert", "tokenizer_class": recorded["class"]}
    for config in [named, *({"model_type": model_type} for model_type in recorded["model_types"])]:
        (folder / "config.json").write_text(json.dumps(config))
        assert type(kt.AutoTokenizer.from_preset(folder, **first["options"])) is cls


@pytest.mark.parametrize(
    ("family", "file"), [(family, file) for family in FAMILIES for file in fixture(family)["files"]]
)
def test_damaged_files(family, file, tmp_path):
    name, first = next(iter(fixture(family)["variants"].items()))
    folder = write_folder(tmp_path / "hub", family, name, "files")
    data = (folder / file).read_bytes()
    for damaged in (b"\xff\xfe\xfd" + data[3:], data[: len(data) // 2] + b"\xff\xff"):
        (folder / file).write_bytes(damaged)
        with pytest.raises(ValueError, match=file):
            class_of(family).from_preset(folder, **first["options"])


@pytest.mark.parametrize("family", FAMILIES)
def test_copies_are_equal(family, tmp_path):
    name, variant = next(iter(fixture(family)["variants"].items()))
    folder = write_folder(tmp_path / "hub", family, name, "files")
    tokenizer = class_of(family).from_preset(folder, **variant["options"])
    texts = list(fixture(family)["texts"].values())
    for copied in (pickle.loads(pickle.dumps(tokenizer)), copy.deepcopy(tokenizer)):
        assert copied(texts)["input_ids"].tolist() == tokenizer(texts)["input_ids"].tolist()
        assert copied.special_tokens_map == tokenizer.special_tokens_map


def test_dpr_reader(tmp_path):
    """Questions with titles and texts, and the answers that logits point to."""
    recorded = fixture("dpr_reader")["more"]
    tokenizer = class_of("dpr_reader").from_preset(write_folder(tmp_path / "hub", "dpr_reader", "default", "files"))
    for call in recorded["calls"]:
        output = tokenizer(**call["call"])
        assert {key: array.tolist() for key, array in output.items()} == call["output"]
    names = ("start_logits", "end_logits", "relevance_logits")
    logits = {name: np.array(value, "float32") for name, value in zip(names, recorded["logits"], strict=True)}
    encoded = tokenizer(**recorded["calls"][0]["call"])
    for answer in recorded["answers"]:
        spans = tokenizer.decode_best_spans(encoded, logits, **answer["options"])
        assert [list(span) for span in spans] == answer["spans"]
    with pytest.raises(ValueError, match="every text needs its pair"):
        tokenizer("who?", ["a", "b"], ["c"])


@pytest.mark.parametrize("family", ["mbart", "mbart50", "nllb", "m2m_100"])
def test_languages(family, tmp_path):
    """They can be changed, also for what is saved, and are restored behind a target."""
    recorded = fixture(family)["more"]
    folder = write_folder(tmp_path / "hub", family, "default", "files")
    tokenizer = class_of(family).from_preset(folder)
    for tokenizer.src_lang, tokenizer.tgt_lang, ids, labels in recorded["calls"]:
        output = tokenizer("hello", text_target="le café")
        assert (output["input_ids"][0].tolist(), output["labels"][0].tolist()) == (ids, labels)
        assert tokenizer.encode("hello") == ids
        with tokenizer.as_target_tokenizer():
            assert tokenizer.encode("le café") == labels
    for language, index in recorded["ids"]:
        assert tokenizer.lang_code_to_id[language] == index
    tokenizer.save_preset(tmp_path / "saved")
    saved = class_of(family).from_preset(tmp_path / "saved")
    assert (saved.encode("hello"), saved.tgt_lang) == (ids, tokenizer.tgt_lang)
    with pytest.raises(ValueError, match="src_lang='xx' is no language of the tokenizer's"):
        class_of(family).from_preset(folder, src_lang="xx")
    with pytest.raises(ValueError, match="tgt_lang=None is no language of the tokenizer's"):
        class_of(family).from_preset(folder)(text_target="le café")


@pytest.mark.parametrize("family", ["t5", "byt5"])
def test_sentinels(family, tmp_path):
    folder = write_folder(tmp_path / "hub", family, "default", "files")
    tokenizer = class_of(family).from_preset(folder, additional_special_tokens=["<a>"], extra_ids=3)
    assert tokenizer.additional_special_tokens == ["<a>", "<extra_id_0>", "<extra_id_1>", "<extra_id_2>"]
    assert tokenizer.get_sentinel_tokens() == tokenizer.additional_special_tokens[1:]
    assert tokenizer.convert_ids_to_tokens(tokenizer.get_sentinel_token_ids()) == tokenizer.get_sentinel_tokens()
    with pytest.raises(ValueError, match="additional_special_tokens has 1 sentinels and extra_ids=3"):
        class_of(family).from_preset(folder, additional_special_tokens=["<extra_id_0>"], extra_ids=3)


def test_marian_languages(tmp_path):
    tokenizer = class_of("marian").from_preset(write_folder(tmp_path / "hub", "marian", "default", "files"))
    assert sorted(tokenizer.supported_language_codes) == [">>de<<", ">>fr<<"]
    assert tokenizer.tokenize(">>fr<< hello")[0] == ">>fr<<"


def test_led_masks_are_padded(tmp_path):
    recorded = fixture("led")["more"]
    tokenizer = class_of("led").from_preset(write_folder(tmp_path / "hub", "led", "default", "files"))
    for side, expected in recorded["padded"]:
        tokenizer.padding_side = side
        padded = tokenizer.pad(recorded["rows"], padding="max_length", max_length=16)
        assert {key: array.tolist() for key, array in padded.items()} == expected


def test_blenderbot_conversations(tmp_path):
    """The class has a chat template for checkpoints without one."""
    folder = write_folder(tmp_path / "hub", "blenderbot", "default", "files")
    tokenizer = class_of("blenderbot").from_preset(folder)
    for turns, text in fixture("blenderbot")["more"]:
        assert tokenizer.apply_chat_template(turns, tokenize=False) == text


def test_tapex_tables(tmp_path):
    """Tables as dicts and as DataFrames, one by one and in batches, and cut to a length."""
    recorded = fixture("tapex")["more"]
    tokenizer = class_of("tapex").from_preset(write_folder(tmp_path / "hub", "tapex", "default", "files"))
    tables, wanted = recorded["tables"], recorded["ids"]
    for table, query, ids in wanted:
        assert tokenizer.encode(tables[table], query) == ids
        assert tokenizer.encode(pandas.DataFrame.from_dict(tables[table]), query) == ids
    batch = tokenizer([tables[table] for table, *_ in wanted], [query for _, query, _ in wanted])
    rows = zip(batch["input_ids"].tolist(), batch["attention_mask"].sum(axis=1), strict=True)
    assert [row[:size] for row, size in rows] == [ids for *_, ids in wanted]
    assert tokenizer(answer="the cat")["input_ids"].tolist() == [tokenizer.encode("the cat")]
    for table, query, answer, length, text in recorded["fitted"]:
        random.seed(1)
        output = tokenizer(tables[table], query, answer, truncation="drop_rows_to_fit", max_length=length)
        assert output["input_ids"].tolist() == tokenizer(text, truncation=True, max_length=length)["input_ids"].tolist()
    with pytest.raises(ValueError, match="there are 3 tables, 2 questions"):
        tokenizer(tables, ["a", "b"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x0a\x03\x0a\x01a", "is damaged or no SentencePiece model"),  # cut off behind a piece
        (b"", "is damaged or no SentencePiece model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is damaged or no SentencePiece model"),
        (b"\x0a\x03\x0a\x01a\x12\x02\x18\x03\x1a\x00", "splits into words; only unigram, BPE and character models"),
        (b"\x0a\x03\x0a\x01a\x12\x03\xc0\x02\x05\x1a\x00", "is damaged"),  # without the piece for unknown ones
        (b"\x0a\x03\x0a\x01a\x12\x00\x1a\x03\x12\x01x", "is damaged"),  # without all of its character map
    ],
)
def test_what_is_no_sentencepiece_model(data, message, tmp_path):
    (tmp_path / "spiece.model").write_bytes(data)
    with pytest.raises(ValueError, match=f"spiece.model {message}"):
        tokenizers.AlbertTokenizer.from_preset(tmp_path)


def test_sentencepiece_needs_no_package(tmp_path, monkeypatch):
    """The files are read here: neither sentencepiece nor protobuf is imported."""
    for package in ("sentencepiece", "google.protobuf"):
        monkeypatch.setitem(sys.modules, package, None)
    tokenizer = class_of("albert").from_preset(write_folder(tmp_path / "hub", "albert", "default", "files"))
    assert tokenizer.decode(tokenizer.encode("the cat"), skip_special_tokens=True) == "the cat"


def test_saved_files_suit_older_versions(tmp_path):
    """Transformers 4.39 comes with a `tokenizers` library that wants these spellings."""
    saved = []
    for family in ("albert", "roberta"):
        tokenizer = class_of(family).from_preset(write_folder(tmp_path / family, family, "default", "files"))
        tokenizer.save_preset(tmp_path / f"saved-{family}")
        saved.append(json.loads((tmp_path / f"saved-{family}" / "tokenizer.json").read_text()))
    albert, roberta = saved
    assert albert["pre_tokenizer"]["add_prefix_space"] is albert["decoder"]["add_prefix_space"] is True
    assert {type(merge) for merge in roberta["model"]["merges"]} == {str}


@pytest.mark.parametrize("form", ["files", "fast_saved"])
def test_added_tokens_keep_their_spelling(form, tmp_path):
    """The `tokenizers` library lower-cases those that it looks for in lower-cased text."""
    tokenizer = class_of("distilbert").from_preset(write_folder(tmp_path / "hub", "distilbert", "default", form))
    tokenizer.add_tokens(["NewWord"])
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<A>", normalized=True)]})
    tokenizer.save_preset(tmp_path / "saved")
    for each in (tokenizer, class_of("distilbert").from_preset(tmp_path / "saved")):
        ids = each.encode("the newword <a> cat", add_special_tokens=False)
        assert each.convert_ids_to_tokens(ids)[1:3] == ["NewWord", "<A>"]
        assert each.decode(ids).startswith("the NewWord <A> c")
        assert each.decode(ids, skip_special_tokens=True).startswith("the NewWord c")


@pytest.mark.parametrize(
    ("merges", "message"),
    [("#version: 0.2\na b c\n", "'a b c' is no pair of tokens"), ("a nosuch\n", "does not belong to vocab.json")],
)
def test_merges_of_another_vocabulary(merges, message, tmp_path):
    folder = write_folder(tmp_path / "hub", "roberta", "default", "files")
    (folder / "merges.txt").write_text(merges)
    with pytest.raises(ValueError, match=f"merges.txt.*{message}"):
        class_of("roberta").from_preset(folder)

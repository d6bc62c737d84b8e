"""Pipelines of encoder-decoders return what the reference's do, on the same folders (fixtures: tests/oracle)."""

import base64
import copy
import json
import sys
import types
from pathlib import Path

import numpy as np
import pandas
import pytest
from model_fixtures import weights
from safetensors.numpy import save_file

import keras_tfm as kt
from keras_tfm.pipelines import TASKS
from keras_tfm.pipelines.generating import effective

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = json.loads((FIXTURES / "pipelines/text2text.json").read_text("utf-8"))


def write_tokenizer(folder, family):
    files = json.loads((FIXTURES / f"tokenizers/families/{family}.json").read_text("utf-8"))["files"]
    for file, content in files.items():
        binary = "base64" in content
        (folder / file).write_bytes(base64.b64decode(content["base64"]) if binary else content["text"].encode())
    name, options = RECORDED["tokenizers"][family]
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name} | options))
    return folder


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    """The tokenizer of each family."""
    folders = {family: tmp_path_factory.mktemp(family) for family in RECORDED["tokenizers"]}
    return {name: kt.AutoTokenizer.from_preset(write_tokenizer(folder, name)) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """The folder of each model, with its tokenizer."""
    folders = {name: tmp_path_factory.mktemp(name) for name in RECORDED["models"]}
    for name, folder in folders.items():
        model = RECORDED["models"][name]
        save_file({t: weights(t, tuple(s)) for t, s in model["tensors"].items()}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(model["config"]))
        write_tokenizer(folder, name)
    return folders


@pytest.fixture(scope="module")
def models(presets):
    return {name: kt.AutoModelForSeq2SeqLM.from_preset(folder) for name, folder in presets.items()}


@pytest.fixture(scope="module")
def pipes(models, tokenizers):
    """`pipes(case, **options)`: the pipeline of a recorded case."""

    def make(name, **options):
        case = RECORDED["cases"][name]
        return kt.pipeline(case["task"], models[case["model"]], tokenizers[case["tokenizer"]], batch_size=2, **options)

    return make


def plain(value):
    """Arrays as lists."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: each.tolist() if isinstance(each, np.ndarray) else each for key, each in value.items()}
    return value


def result(pipe, call):
    if call["inputs"] is None:
        return pipe(**call["options"])
    if not call["generator"]:
        return pipe(call["inputs"], **call["options"])
    results = pipe((text for text in call["inputs"]), **call["options"])
    assert isinstance(results, types.GeneratorType)
    return list(results)


@pytest.fixture
def told(monkeypatch):
    """`told(pipe)`: has the pipeline's model say the word " he"; returns the options that it will have been given."""

    def tell(pipe):
        asked = []

        def generate(inputs, **options):
            asked.append(options)
            return np.repeat([[2, 307, 2]], len(inputs["input_ids"]), axis=0)

        monkeypatch.setattr(pipe.model, "generate", generate)
        return asked

    return tell


class Told:
    """Stands in for `generate`: knows what the reference was asked, and answers as its model did."""

    def __init__(self, asked, padding):
        self.asked, self.padding = asked, padding

    def __call__(self, inputs, **options):
        told = [self.answer(ids[mask == 1].tolist(), options) for ids, mask in zip(*inputs.values(), strict=True)]
        texts = [ids for its_texts in told for ids in its_texts]
        longest = max(map(len, texts))  # as of a batch; the reference ran them one by one
        return np.array([ids + [self.padding] * (longest - len(ids)) for ids in texts], "int32")

    def answer(self, ids, options):
        [texts, said] = next([texts, said] for known, texts, said in self.asked if known == ids)
        assert effective(options).changed == said
        return texts


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", RECORDED["cases"])
def test_texts_to_ids_and_back_as_the_reference(name, pipes, monkeypatch):
    for number, call in enumerate(RECORDED["cases"][name]["calls"]):
        pipe = pipes(name, **call["at_construction"])
        monkeypatch.setattr(pipe.model, "generate", Told(call["asked"], pipe.tokenizer.pad_token_id))
        assert plain(result(pipe, call)) == call["output"], f"call {number}: {call['inputs']!r:.60} {call['options']}"


@pytest.mark.filterwarnings("ignore:the translation of a text")
@pytest.mark.parametrize(
    ("name", "number"), [("bart", 1), ("t5_french", 0), ("m2m_100", 0), ("marian", 0), ("tapex", 6)]
)
def test_answers_as_the_reference(name, number, pipes):
    call = RECORDED["cases"][name]["calls"][number]
    pipe = pipes(name, **call["at_construction"])
    for _ in range(2):  # again, with what has been compiled
        assert plain(result(pipe, call)) == call["output"]


@pytest.mark.parametrize("family", RECORDED["built"])
def test_languages_as_the_reference(family, pipes, tokenizers):
    recorded, tokenizer = RECORDED["built"][family], copy.copy(tokenizers[family])
    own, (source, target) = tokenizer.src_lang, recorded["languages"]
    pipe = kt.pipeline("translation", pipes("m2m_100").model, tokenizer)
    for text, ids in zip(recorded["texts"], recorded["ids"], strict=True):
        rows = pipe.preprocess(text, src_lang=source)
        assert rows[0]["input_ids"].tolist() == ids
        assert pipe.generation(rows, tgt_lang=target, max_length=99)["forced_bos_token_id"] == recorded["first"]
    assert tokenizer.src_lang == own
    with pytest.raises(ValueError, match="src_lang='xx' is no language"):
        pipe("hello", src_lang="xx", tgt_lang=target)
    with pytest.raises(ValueError, match="tgt_lang='xx' is no language"):
        pipe("hello", src_lang=source, tgt_lang="xx")
    with pytest.raises(ValueError, match="src_lang=None is no language of the tokenizer's"):
        pipe("hello")


def test_codes_of_languages_in_a_task(pipes, tokenizers):
    pipe = kt.pipeline("translation_en_XX_to_ro_RO", pipes("m2m_100").model, tokenizers["mbart50"])
    assert pipe.options == {"src_lang": "en_XX", "tgt_lang": "ro_RO"}


def test_usual_models_are_the_reference_s():
    assert {task: TASKS[task] for task in RECORDED["defaults"]} == RECORDED["defaults"]
    for task in ("translation", "translation_en_to_xx", "table-question-answering"):
        with pytest.raises(ValueError, match=f"no usual model for {task}"):
            kt.pipeline(task)
    with pytest.raises(ValueError, match="unknown task 'translation_en_fr'; did you mean .*translation_en_to_fr"):
        kt.pipeline("translation_en_fr")


def test_the_task_of_a_model(models, presets, tokenizers):
    assert kt.pipeline(model=presets["bart"]).task == "text2text-generation"
    assert kt.pipeline(model=models["marian"], tokenizer=tokenizers["marian"]).task == "translation"


@pytest.mark.filterwarnings("ignore:the translation of a text")
def test_a_task_of_a_folder(presets):
    pipe = kt.pipeline("translation_en_to_fr", presets["t5"], max_length=3)
    assert pipe.prefix == "translate English to French: "
    options = pipe.generation([{"input_ids": [1]}], **pipe.options)
    assert effective(options).num_beams == 2
    assert effective(options).max_length == 3
    assert pipe.model.generation_config.num_beams == 1  # what a task asks for stays with its pipeline


def test_the_first_translation_of_a_model_that_has_several(pipes):
    with pytest.warns(UserWarning, match="taking translation_en_to_de"):
        pipe = pipes("t5_unnamed")
    assert pipe.prefix == "translate English to German: "


def test_lengths_that_make_no_sense(pipes):
    rows = [{"input_ids": np.arange(2, 12)}, {"input_ids": np.arange(2, 9)}]
    with pytest.warns(UserWarning, match="a text of 7 tokens may get a summary of 12: pass max_length=3"):
        pipes("bart_summaries").generation(rows)
    with pytest.warns(UserWarning, match="a text of 10 tokens may be cut at 11: pass a larger max_length"):
        pipes("marian").generation(rows, max_new_tokens=11)
    pipes("bart_summaries").generation(rows, max_length=7)
    pipes("marian").generation(rows)


def test_spaces_before_punctuation(pipes):
    pipe = pipes("bart")
    rows = [{"generated": np.array([pipe.tokenizer.encode("hello , world !")])}]
    assert pipe.postprocess("", rows) == [{"generated_text": "hello , world !"}]
    assert pipe.postprocess("", rows, clean_up_tokenization_spaces=True) == [{"generated_text": "hello, world!"}]


def test_a_configuration_of_ones_own(pipes, told):
    own = kt.GenerationConfig(max_length=90, eos_token_id=1)
    pipe = pipes("t5_french")
    asked = told(pipe)
    pipe("hello", generation_config=own, num_beams=3, seed=1)
    assert effective(asked[0]).changed == own.changed | {"num_beams": 3, "pad_token_id": 0}
    assert asked[0]["seed"] == 1


def test_what_the_models_cannot_do(pipes, models, tokenizers):
    with pytest.raises(ValueError, match=r"303 tokens.*160 rows: pass truncation=True"):
        pipes("bart")("hello " * 100)
    for wrong in (7, ["hello", ["the", "cat"]], {"text": "hello"}):
        with pytest.raises(TypeError, match="text2text-generation takes a text, or a list of them"):
            pipes("bart")([wrong])
    with pytest.raises(TypeError, match="no generation option 'num_beam'; did you mean 'num_beams'"):
        pipes("bart")("hello", num_beam=2)
    with pytest.raises(ValueError, match="stop_sequence has no tokens"):
        pipes("bart")("hello", stop_sequence="")
    decoder = kt.GPT2LMHeadModel({"vocab_size": 9, "n_embd": 8, "n_layer": 1, "n_head": 1})
    with pytest.raises(ValueError, match="summarization needs an encoder-decoder .*not GPT2LMHeadModel"):
        kt.pipeline("summarization", decoder, tokenizers["bart"])
    with pytest.raises(ValueError, match="text-generation needs a decoder .*not BartForConditionalGeneration"):
        kt.pipeline("text-generation", models["bart"], tokenizers["bart"])
    with pytest.raises(ValueError, match="needs a TapexTokenizer.*BartForConditionalGeneration with a BartTokenizer"):
        kt.pipeline("table-question-answering", models["bart"], tokenizers["bart"])


TABLE = {"a": ["the cat", "x"], "b": ["1", "2"]}


def test_tables_of_every_kind(pipes, told):
    pipe = pipes("tapex")
    frame = pandas.DataFrame(TABLE)
    [expected] = pipe.preprocess({"table": TABLE, "query": "the dog"})
    for table in (frame, frame.to_dict("records")):
        [row] = pipe.preprocess({"table": table, "query": "the dog"})
        assert row["input_ids"].tolist() == expected["input_ids"].tolist()
    told(pipe)
    assert pipe(frame, "the dog") == {"answer": " he"}
    assert pipe(frame, ["the dog", "a cat"]) == [{"answer": " he"}] * 2
    assert list(pipe({"table": table, "query": "the dog"} for table in (frame, TABLE))) == [{"answer": " he"}] * 2


def test_tables_without_pandas(pipes, told, monkeypatch):
    pipe = pipes("tapex")
    told(pipe)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert pipe(TABLE, "the dog") == {"answer": " he"}
    with pytest.raises(ImportError, match=r"a list needs pandas.*keras-tfm\[tables\].*dict of columns"):
        pipe([{"a": "the cat"}], "the dog")


def test_rows_that_do_not_fit(pipes):
    pipe = pipes("tapex")
    long = {name: cells * 9 for name, cells in TABLE.items()}
    [row] = pipe.preprocess({"table": long, "query": "the dog"}, truncation="drop_rows_to_fit")
    assert len(row["input_ids"]) <= 60
    assert "row 2" in pipe.tokenizer.decode(row["input_ids"])
    with pytest.raises(ValueError, match='160 rows: pass truncation="drop_rows_to_fit"'):
        pipe(long, "the dog")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"query": "the dog"}, "no table in"),
        ({"table": pandas.DataFrame(TABLE)}, "pass a table and a query"),
        ({"table": TABLE}, "no table in"),
        ({"table": "the cat"}, "no table in"),
        ({"table": [{"table": TABLE}]}, "no query in"),
        ({"table": {}, "query": "the dog"}, "the table is empty"),
        ({"table": pandas.DataFrame({"a": []}), "query": "the dog"}, "the table is empty"),
        ({"table": TABLE, "query": ""}, "query is empty"),
        ({"table": TABLE, "query": []}, "query is empty"),
        ({"table": TABLE, "query": ["the dog", ""]}, "query is empty"),
        ({"table": {"a": ["x"], "b": []}, "query": "the dog"}, "differ in length: a, b"),
    ],
)
def test_tables_and_questions_that_are_none(pipes, inputs, message):
    with pytest.raises(ValueError, match=message):
        pipes("tapex")(**inputs)

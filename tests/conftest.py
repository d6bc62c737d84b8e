"""Shared test machinery: one loaded model at a time, and the record behind the support table."""

import gc
import json
from pathlib import Path

import keras
import pytest
from model_fixtures import fixture, write_preset

import keras_tfm as kt

FIXTURES = Path(__file__).parent / "fixtures"
READERS = {  # the suites of what reads texts and pictures, and their fixtures, one of each class
    "test_tokenizer_families.py": FIXTURES / "tokenizers" / "families",
    "test_image_processors.py": FIXTURES / "image_processors",
}
RECORD = Path(__file__).parent.parent / "keras_tfm" / "support.json"

gc.set_threshold(100_000, 20, 20)  # tracing makes many objects: looking for garbage was a sixth of the time


@pytest.fixture(scope="module")
def preset(request, tmp_path_factory):
    """The folder of a (file, class name) case."""
    file, name = request.param
    return write_preset(tmp_path_factory.mktemp("preset"), file, name)


@pytest.fixture(scope="module")
def model(request, preset):
    """The model of the same case, loaded once for the tests that ask for it."""
    return getattr(kt, request.getfixturevalue("case")[1]).from_preset(preset)


@pytest.fixture(scope="module")
def case(request):
    return request.param


def pytest_addoption(parser):
    parser.addoption("--record", action="store_true", help="write the parity suite's results to keras_tfm/support.json")


def pytest_sessionfinish(session):
    """With --record, notes which classes passed every parity test on this backend, and which tokenizers and processors
    theirs."""
    if not session.config.getoption("--record") or hasattr(session.config, "workerinput"):
        return
    reports = session.config.pluginmanager.get_plugin("terminalreporter").stats
    models, readers = {}, {}
    for outcome in ("passed", "failed", "error"):
        for report in reports.get(outcome, []):
            if report.when == "call" or outcome != "passed":
                test, _, case = report.nodeid.removesuffix("]").partition("[")
                suite = Path(test.partition("::")[0]).name
                if suite == "test_parity.py":
                    file, name = case.rsplit("-", 1)
                    key = fixture(file)["model_type"], name
                    models[key] = models.get(key, True) and outcome == "passed"
                elif suite in READERS and (path := READERS[suite] / f"{case.partition('-')[0]}.json").is_file():
                    name = json.loads(path.read_text("utf-8"))["class"]
                    readers[name] = readers.get(name, True) and outcome == "passed"
    record = json.loads(RECORD.read_text())
    backend = keras.backend.backend()
    for model_type in {model_type for model_type, _ in models}:
        passed = sorted(name for (key, name), good in models.items() if key == model_type and good)
        record["models"].setdefault(model_type, {})[backend] = passed
    kept = [name for name in record["readers"] if name not in readers]
    record["readers"] = sorted([*kept, *(name for name, good in readers.items() if good)])
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")

"""The `keras-tfm` command, run as a user runs it."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest
import test_hub
from model_fixtures import assert_close, flat, state, write_preset
from safetensors.numpy import load_file

import keras_tfm as kt
from keras_tfm import cli
from keras_tfm.support import code_lines, support_table

ROOT = Path(__file__).parent.parent
SCRIPT = Path(sys.executable).parent / "keras-tfm"
INPUTS = {"input_ids": np.array([[3, 7, 9, 4]])}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    write_preset(folder, "bert/absolute", "BertForSequenceClassification")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
    (folder / "vocab.txt").write_text("\n".join(words + [f"w{i}" for i in range(61 - len(words))]))
    return folder


def test_run_prints_json(folder, capsys):
    cli.main(["run", "text-classification", str(folder), "good film", "bad"])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = kt.pipeline("text-classification", str(folder))
    assert [answer[0]["label"] for answer in answers] == [expected(text)[0]["label"] for text in ("good film", "bad")]


def test_run_in_a_process_of_its_own_reads_lines(folder):
    command = [SCRIPT, "run", "sentiment-analysis", folder]
    result = subprocess.run(command, input="good film\nbad\n", capture_output=True, text=True)
    assert len(result.stdout.splitlines()) == 2, result.stderr


def test_convert_to_a_preset_and_to_a_keras_file(folder, tmp_path, capsys):
    cli.main(["convert", str(folder), str(tmp_path / "saved"), "--max-shard-size", "20KB"])
    assert "BertForSequenceClassification written" in capsys.readouterr().out
    tensors = {}
    for shard in (tmp_path / "saved").glob("*.safetensors"):
        tensors |= load_file(shard)
    stored = state("bert/absolute", "BertForSequenceClassification")
    assert set(tensors) == set(stored)
    for name, array in stored.items():
        np.testing.assert_array_equal(tensors[name], array)

    cli.main(["convert", str(folder), str(tmp_path / "model.keras"), "--cls", "BertModel"])
    loaded = flat(keras.models.load_model(tmp_path / "model.keras")(INPUTS))
    expected = flat(kt.BertModel.from_preset(folder)(INPUTS))
    assert_close(loaded["last_hidden_state"], expected["last_hidden_state"])
    assert sorted(path.name for path in tmp_path.glob("*.keras")) == ["model.keras"]


def test_convert_from_a_hub_and_then_from_its_cache(folder, tmp_path, monkeypatch):
    for path in folder.iterdir():
        monkeypatch.setitem(test_hub.FILES, path.name, path.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), test_hub.Hub)
    server.requests = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    try:
        subprocess.run([SCRIPT, "convert", "hf://tiny/bert", tmp_path / "online"], env=os.environ | hub, check=True)
    finally:
        server.shutdown()
        server.server_close()
    offline = os.environ | hub | {"HF_HUB_OFFLINE": "1"}
    subprocess.run([SCRIPT, "convert", "tiny/bert", tmp_path / "offline"], env=offline, check=True)
    for name in ("online", "offline"):
        saved = (tmp_path / name / "model.safetensors").read_bytes()
        assert saved == (tmp_path / "online" / "model.safetensors").read_bytes()
        assert len(load_file(tmp_path / name / "model.safetensors")) == 41
    nothing = [SCRIPT, "convert", "tiny/none", tmp_path / "x"]
    unknown = subprocess.run(nothing, env=offline, capture_output=True, text=True)
    assert unknown.returncode == 1
    assert "'tiny/none' is neither a folder nor in the local cache" in unknown.stderr


def test_export_writes_a_saved_model(folder, tmp_path):
    cli.main(["export", str(folder), str(tmp_path / "served")])
    assert (tmp_path / "served" / "saved_model.pb").exists()


def test_errors_are_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"^keras-tfm: No such folder"):
        cli.main(["convert", str(tmp_path / "nowhere"), str(tmp_path / "target")])
    with pytest.raises(SystemExit, match="^keras-tfm: .*text-classification"):
        cli.main(["run", "text-clasification", str(tmp_path), "good"])


def test_the_readme_shows_the_recorded_support(capsys):
    cli.main(["support"])
    assert capsys.readouterr().out == support_table() + "\n"
    shown = re.search(r"<!-- support -->\n(.*)\n<!-- /support -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown[1] == support_table()
    mean = re.search(r"^Lines of code, mean of \d+ architectures: (\d+)\.$", shown[1], re.MULTILINE)
    assert 0 < int(mean[1]) <= 150


def test_what_counts_as_a_line_of_code(tmp_path):
    lines = [
        '"""Doc',
        'string."""',
        "",
        "# why",
        "x = [  # two",
        "1]",
        "def f():",
        '  """Doc."""',
        '  return """a',
        'b"""',
    ]
    (tmp_path / "some.py").write_text("\n".join(lines) + "\n")
    assert code_lines(tmp_path / "some.py") == 5

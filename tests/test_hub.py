"""Presets opened from folders, from a Hub on the loopback interface, and from the cache alone."""

import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants, file_download

from keras_tfm.presets.io.hub import open_preset

OLD, NEW = "a" * 40, "b" * 40  # two commits
REVISIONS = {"main": OLD, "v1": NEW}
FILES = {"config.json": b'{"model_type": "bert"}', "1_Pooling/config.json": b'{"mode": "mean"}'}
TREE = "/api/models/tiny/bert/tree"


class Hub(BaseHTTPRequestHandler):
    """Serves tiny/bert at two revisions, tiny/secret to those with a token, tiny/gated to nobody."""

    def do_GET(self):
        self.server.requests.append((self.command, self.path))
        if self.path.startswith(TREE):
            return self.list_files(self.path.partition("?")[0])
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, filename = rest.partition("/")
        commit = REVISIONS.get(revision, revision)
        allowed = repo == "tiny/bert" or self.headers.get("authorization") == "Bearer hf_right"
        if repo == "tiny/gated":
            self.refuse(403, "GatedRepo")
        elif repo not in ("tiny/bert", "tiny/secret") or not allowed:
            self.refuse(401, "RepoNotFound")
        elif commit not in (OLD, NEW):
            self.refuse(404, "RevisionNotFound")
        elif filename not in FILES:
            self.refuse(404, "EntryNotFound", commit)
        else:
            self.send_response(200)
            self.send_header("ETag", f'"{zlib.crc32(FILES[filename]):08x}"')
            self.send_header("X-Repo-Commit", commit)
            self.send_header("Content-Length", str(len(FILES[filename])))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(FILES[filename])

    do_HEAD = do_GET

    def list_files(self, path):
        if path != f"{TREE}/{OLD}/1_Pooling":
            return self.refuse(404, "EntryNotFound")
        entry = {"type": "file", "path": "1_Pooling/config.json", "size": 16, "oid": "0"}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps([entry]).encode())

    def refuse(self, status, code, commit=None):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.end_headers()

    def log_message(self, *args):
        pass


def use_endpoint(monkeypatch, url):
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    for home in (constants, file_download):  # the latter has a copy in huggingface_hub 0.x
        monkeypatch.setattr(home, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The server; downloads go to an empty cache."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.requests = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    use_endpoint(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path):
    for filename, content in FILES.items():
        path = tmp_path / "bert" / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "bert"


# Local folders


@pytest.mark.parametrize("kind", [str, Path])
def test_folder(folder, kind):
    preset = open_preset(kind(folder))
    assert preset.name == str(folder)
    assert preset.path("config.json") == folder / "config.json"
    assert preset.json("1_Pooling/config.json") == {"mode": "mean"}
    assert preset.path("model.safetensors") is None
    assert preset.json("generation_config.json") is None
    with pytest.raises(FileNotFoundError, match="has no tokenizer.json; it has: 1_Pooling, config.json"):
        preset.require("tokenizer.json")


def test_home_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert open_preset("~/bert").json("config.json") == {"model_type": "bert"}


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "..\\secret", "C:\\secret", "C:secret", ""])
def test_files_outside_the_folder_are_refused(folder, name):
    with pytest.raises(ValueError, match="refused"):
        open_preset(folder).path(name)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "config.json .* is not valid JSON"),
        (b"\xff\xfe\xfa", "config.json .* is not valid JSON"),
        (b"[" * 200_000, "config.json .* is not valid JSON"),
        (b"[1]", "config.json .* must hold a JSON object, not a list"),
    ],
)
def test_bad_json(folder, content, problem):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=problem):
        open_preset(folder).json("config.json")


@pytest.mark.parametrize("source", ["/no/such/folder", "./missing", "a/b/c", "~/missing"])
def test_no_such_folder(source):
    with pytest.raises(FileNotFoundError, match=f"No such folder: '{source}'"):
        open_preset(source)


def test_a_path_object_never_means_the_hub(hub):
    with pytest.raises(FileNotFoundError, match="No such folder"):
        open_preset(Path("tiny/bert"))
    assert not hub.requests


def test_a_file_is_not_a_preset(folder):
    with pytest.raises(NotADirectoryError, match="pass the folder"):
        open_preset(folder / "config.json")


# The Hub


@pytest.mark.parametrize("source", ["tiny/bert", "hf://tiny/bert"])
def test_hub(hub, source):
    preset = open_preset(source)
    assert preset.name == "tiny/bert"
    assert preset.json("config.json") == {"model_type": "bert"}
    assert preset.json("1_Pooling/config.json") == {"mode": "mean"}
    assert preset.path("model.safetensors") is None
    with pytest.raises(FileNotFoundError, match="tiny/bert has no tokenizer.json; check the name"):
        preset.require("tokenizer.json")


def test_files_of_a_folder(hub, folder, monkeypatch):
    preset = open_preset("tiny/bert")
    preset.path("config.json")
    monkeypatch.setitem(REVISIONS, "main", NEW)  # somebody pushes meanwhile
    for opened in (preset, open_preset(folder)):
        assert opened.folder("1_Pooling") == ["config.json"]
        assert opened.folder("chat_templates") == []
    preset.path("1_Pooling/config.json")
    use_endpoint(monkeypatch, "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert preset.folder("1_Pooling") == ["config.json"]


def test_all_files_come_from_one_commit(hub, monkeypatch):
    preset = open_preset("tiny/bert")
    preset.require("config.json")
    monkeypatch.setitem(REVISIONS, "main", NEW)  # somebody pushes meanwhile
    assert OLD in str(preset.require("1_Pooling/config.json"))
    assert NEW in str(open_preset("tiny/bert").require("config.json"))


def test_a_second_look_costs_one_request(hub):
    for _ in range(2):
        hub.requests.clear()
        preset = open_preset("tiny/bert")
        for filename in ("config.json", "1_Pooling/config.json", "tokenizer.json"):
            preset.path(filename)
    assert [method for method, _ in hub.requests] == ["HEAD"]


@pytest.mark.parametrize(
    ("source", "revision"),
    [("tiny/bert", "v1"), ("tiny/bert@v1", None), ("hf://tiny/bert@v1", None), ("tiny/bert@v1", "v1")],
)
def test_revision(hub, source, revision):
    preset = open_preset(source, revision=revision)
    assert preset.name == "tiny/bert@v1"
    assert NEW in str(preset.require("config.json"))


def test_two_revisions():
    with pytest.raises(ValueError, match="Two revisions"):
        open_preset("tiny/bert@v1", revision="main")


def test_unknown_revision(hub):
    with pytest.raises(FileNotFoundError, match="tiny/bert has no revision 'v9'"):
        open_preset("tiny/bert", revision="v9").path("config.json")


@pytest.mark.parametrize("source", ["tiny/none", "none", "hf://tiny/none"])
def test_unknown_repository(hub, source):
    with pytest.raises(FileNotFoundError, match="none' is neither a folder nor a repository .* token="):
        open_preset(source).path("config.json")


def test_gated_repository(hub):
    with pytest.raises(PermissionError, match="tiny/gated is gated: accept its conditions"):
        open_preset("tiny/gated").path("config.json")


def test_token(hub):
    with pytest.raises(FileNotFoundError, match="if it is private, pass token="):
        open_preset("tiny/secret").path("config.json")
    assert open_preset("tiny/secret", token="hf_right").json("config.json") == {"model_type": "bert"}


def test_cache_dir(hub, tmp_path):
    assert (
        open_preset("tiny/bert", cache_dir=tmp_path / "here").require("config.json").is_relative_to(tmp_path / "here")
    )


@pytest.mark.parametrize("variable", [True, False])
def test_offline(hub, monkeypatch, variable):
    open_preset("tiny/bert").require("config.json")
    hub.requests.clear()
    if variable:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    options = {} if variable else {"local_files_only": True}
    preset = open_preset("tiny/bert", **options)
    assert preset.json("config.json") == {"model_type": "bert"}
    assert preset.path("tokenizer.json") is None
    with pytest.raises(FileNotFoundError, match="local cache only.* has no tokenizer.json"):
        preset.require("tokenizer.json")
    for source in ("tiny/other", "tiny/bert@v1"):
        with pytest.raises(FileNotFoundError, match="neither a folder nor in the local cache"):
            open_preset(source, **options)
    assert not hub.requests


def test_unreachable(hub, monkeypatch):
    open_preset("tiny/bert").require("config.json")
    use_endpoint(monkeypatch, "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # huggingface_hub waits between its attempts
    preset = open_preset("tiny/bert")
    assert preset.json("config.json") == json.loads(FILES["config.json"])
    with pytest.raises(ConnectionError, match="tokenizer.json of tiny/bert .* cannot be reached.*local_files_only"):
        preset.path("tokenizer.json")

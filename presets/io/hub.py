"""Where a preset's files come from: a local folder or a repository of the Hugging Face Hub."""

import json
from pathlib import Path, PureWindowsPath

LOCATION = ("revision", "token", "cache_dir", "local_files_only", "gguf_file")  # the options of `open_preset`


def open_preset(source, *, revision=None, token=None, cache_dir=None, local_files_only=False, gguf_file=None):
    """Open a preset; its files are fetched when they are asked for.

    Args:
        source: a local folder (str or Path), a Hub id ("owner/name" or "name") or "hf://owner/name". A Hub id may
            end in "@revision". A folder wins over a Hub id of the same name, except after "hf://". Or a GGUF file,
            whose name ends in ".gguf".
        revision: branch, tag or commit of the Hub repository; "main" by default. Local folders have none.
        token: Hub token; by default the one that huggingface_hub finds (login or HF_TOKEN). False sends none.
        cache_dir: where downloads are kept; huggingface_hub's cache by default.
        local_files_only: take what the cache holds and never ask the network, as under HF_HUB_OFFLINE=1.
        gguf_file: the name of a GGUF file there, which is then the whole preset.

    Returns:
        A `Preset`.

    Raises:
        FileNotFoundError: no such folder, or offline and not in the cache. That the Hub has no such repository or
            revision shows, also as FileNotFoundError, when the first file is asked for.
        ValueError: two different revisions.
    """
    from keras_tfm.presets.io.gguf import GGUFPreset

    path = Path(source).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return GGUFPreset(path)
    preset = _open_files(source, revision, token, cache_dir, local_files_only)
    return preset if gguf_file is None else GGUFPreset(preset.require(gguf_file))


def _open_files(source, revision, token, cache_dir, local_files_only):
    name = str(source)
    if not name.startswith("hf://"):
        folder = Path(source).expanduser()
        if folder.is_dir():
            return Preset(name, folder)
        if folder.is_file():
            raise NotADirectoryError(f"{name!r} is a file: pass the folder that holds it.")

    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils import validate_repo_id

    repo, _, suffix = name.removeprefix("hf://").partition("@")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise FileNotFoundError(f"No such folder: {name!r} (and it cannot be a Hub id: {error})") from None
    if isinstance(source, Path):
        raise FileNotFoundError(f"No such folder: {name!r} (pass a string to name a Hub repository).")
    if revision and suffix and revision != suffix:
        raise ValueError(f"Two revisions: {name!r} and revision={revision!r}; pass one of them.")
    revision = revision or suffix or None

    if not (local_files_only or constants.HF_HUB_OFFLINE):
        return HubPreset(repo, revision, token, cache_dir)
    try:  # Offline, a repository is the folder of its cached files.
        snapshot = snapshot_download(
            repo, revision=revision, cache_dir=cache_dir, local_files_only=True, allow_patterns=[]
        )
    except LocalEntryNotFoundError:
        at = f" at revision {revision!r}" if revision else ""
        raise FileNotFoundError(
            f"{repo!r}{at} is neither a folder nor in the local cache, and downloads are off: "
            "load it once without local_files_only and HF_HUB_OFFLINE, or pass a folder."
        ) from None
    return Preset(f"{repo} (local cache only)", Path(snapshot))


class Preset:
    """The files of one preset; `name` is what to call it in messages."""

    metadata = None  # of a GGUF file

    def __init__(self, name, folder):
        self.name = name
        self._folder = folder

    def path(self, filename):
        """Local path of a file ("config.json", "1_Pooling/config.json"), downloaded if need be; None if it has none.

        Raises ValueError for a name that leads out of the preset (names of shards come from the checkpoint itself).
        """
        parts = PureWindowsPath(filename)  # knows both separators, and drives
        if not filename or parts.anchor or ".." in parts.parts:
            raise ValueError(f"{self.name} refers to {filename!r}, which is not a file inside it; refused.")
        return self._locate(filename)

    def folder(self, name):
        """The names of the files in a folder of the preset; none if it has no such folder."""
        return sorted(path.name for path in (self._folder / name).glob("*") if path.is_file())

    def require(self, filename):
        """Like `path`, but FileNotFoundError if the preset has no such file."""
        path = self.path(filename)
        if path is None:
            raise FileNotFoundError(f"{self.name} has no {filename}; {self._hint()}")
        return path

    def json(self, filename):
        """The JSON object in a file, None if there is no such file; ValueError if it holds anything else."""
        path = self.path(filename)
        if path is None:
            return None
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{filename} of {self.name} is not valid JSON ({error}); replace the file.") from None
        if not isinstance(value, dict):
            raise ValueError(f"{filename} of {self.name} must hold a JSON object, not a {type(value).__name__}.")
        return value

    def _locate(self, filename):
        path = self._folder / filename
        return path if path.is_file() else None

    def _hint(self):
        present = sorted(path.name for path in self._folder.iterdir())
        return f"it has: {', '.join(present) or 'no files'}."


class HubPreset(Preset):
    """A repository of the Hub. All files come from the commit that the first one came from."""

    def __init__(self, repo, revision, token, cache_dir):
        self.name = f"{repo}@{revision}" if revision else repo
        self._repo, self._revision, self._token, self._cache_dir = repo, revision, token, cache_dir
        self._commit = None

    def _locate(self, filename):
        from huggingface_hub import errors, hf_hub_download, try_to_load_from_cache

        if self._commit:
            cached = try_to_load_from_cache(self._repo, filename, self._cache_dir, self._commit)
            if cached is not None:  # a path, or the marker of a file known not to exist
                return Path(cached) if isinstance(cached, str) else None
        try:
            path = hf_hub_download(
                self._repo,
                filename,
                revision=self._commit or self._revision,
                token=self._token,
                cache_dir=self._cache_dir,
            )
        except errors.GatedRepoError:
            raise PermissionError(
                f"{self.name} is gated: accept its conditions on its page, then pass token=... or log in."
            ) from None
        except errors.RepositoryNotFoundError:
            raise FileNotFoundError(
                f"{self.name!r} is neither a folder nor a repository of the Hub: check the spelling; "
                "if it is private, pass token=... or log in."
            ) from None
        except errors.RevisionNotFoundError:
            raise FileNotFoundError(f"{self._repo} has no revision {self._revision!r}: check its branches.") from None
        except errors.LocalEntryNotFoundError as error:  # the Hub gave no answer
            raise ConnectionError(
                f"{filename} of {self.name} is not in the local cache and the Hub cannot be reached: check the "
                "network, pass local_files_only=True to do with what is cached, or pass a local folder."
            ) from error
        except errors.EntryNotFoundError:
            return None
        path = Path(path)
        self._commit = path.parents[filename.count("/")].name
        return path

    def folder(self, name):
        from huggingface_hub import HfApi, errors, snapshot_download

        where = {"repo_id": self._repo, "revision": self._commit or self._revision, "token": self._token}
        try:
            entries = HfApi().list_repo_tree(path_in_repo=name, **where)
            return sorted(entry.path.rpartition("/")[2] for entry in entries)
        except errors.EntryNotFoundError:
            return []
        except Exception:  # whatever the network throws; the cache has to do, as it does for files
            where |= {"cache_dir": self._cache_dir, "local_files_only": True, "allow_patterns": []}
            return Preset(self.name, Path(snapshot_download(**where))).folder(name)

    def _hint(self):
        return "check the name and the revision."

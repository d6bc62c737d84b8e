"""Checkpoints: reading tensors one at a time from any weight file, writing safetensors, replacing folders safely."""

import json
import math
import mmap
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .layout import SAFETENSORS_DTYPES, damaged, safetensors_layout, torch_layout

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
WEIGHT_FILES = (SINGLE, INDEX, "pytorch_model.bin", "pytorch_model.bin.index.json")  # in the order of preference
_WEIGHT_FILE = re.compile(r"(model|pytorch_model)(-\d+-of-\d+)?\.(safetensors|bin)(\.index\.json)?")
_CODES = {name: code for code, name in SAFETENSORS_DTYPES.items()}


class TensorInfo(NamedTuple):
    """Shape and NumPy dtype (ml_dtypes' for bfloat16 and float8) of a stored tensor."""

    shape: tuple
    dtype: np.dtype

    @property
    def nbytes(self):
        return math.prod(self.shape) * self.dtype.itemsize


def open_checkpoint(preset):
    """Open a preset's weights: one file or shards with an index, safetensors before PyTorch's own format.

    PyTorch files need no torch, and nothing in them is executed.

    Raises:
        FileNotFoundError: the preset has no weights, or lacks a shard that its index names.
        ValueError: a damaged file, a PyTorch file of anything but tensors, a tensor that is not where the index says.
    """
    if preset.metadata is not None:
        return preset.checkpoint()
    for filename in WEIGHT_FILES:
        if filename.endswith(".index.json"):
            if (index := preset.json(filename)) is not None:
                return _open_shards(preset, filename, index)
        elif path := preset.path(filename):
            return Checkpoint([path])
    raise FileNotFoundError(f"{preset.name} has no weights: looked for {', '.join(WEIGHT_FILES)}.")


def _open_shards(preset, filename, index):
    shards = index.get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(shard, str) for shard in shards.values()):
        raise ValueError(f"{filename} of {preset.name} has no weight_map from tensors to files: download it again.")
    paths = {}
    for shard in sorted(set(shards.values())):
        paths[shard] = preset.path(shard)
        if paths[shard] is None:
            raise FileNotFoundError(f"{preset.name} has no {shard}, which its {filename} names: download it again.")
    checkpoint = Checkpoint(paths.values(), {name: paths[shard] for name, shard in shards.items()})
    for name, shard in shards.items():
        if name not in checkpoint:
            raise ValueError(f"{preset.name}: {shard} lacks tensor {name!r}, which {filename} puts there.")
    return checkpoint


class Checkpoint(Mapping):
    """{tensor name: TensorInfo}; `read` fetches the values. The files are memory-mapped until `close`.

    Args:
        paths: safetensors or PyTorch files.
        homes: {tensor name: path} for tensors that are to come from that file only.
    """

    def __init__(self, paths, homes=None):
        self._maps, self._stored = {}, {}  # path -> map; tensor name -> path, Stored
        for path in paths:
            self._maps[path], layout = _open_file(Path(path))
            for name, stored in layout.items():
                if not homes or homes.get(name, path) == path:
                    self._stored[name] = path, stored

    def __getitem__(self, name):
        stored = self._stored[name][1]
        return TensorInfo(stored.shape, stored.dtype)

    def __iter__(self):
        return iter(self._stored)

    def __len__(self):
        return len(self._stored)

    def file(self, name):
        """Path of the file that holds a tensor."""
        return self._stored[name][0]

    def read(self, name):
        """The values of a tensor: a read-only view of the file, aligned and in this machine's byte order."""
        path, stored = self._stored[name]
        data = self._maps[path]
        if hasattr(mmap, "MADV_DONTNEED"):
            data.madvise(mmap.MADV_DONTNEED)  # earlier tensors' pages may leave memory; they come back if looked at
        array = np.require(_view(data, stored), requirements="A")
        return array.byteswap() if stored.swapped else array

    def close(self):
        """Let the files go; arrays that were read stay valid."""
        self._maps.clear()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def map_file(path):
    """The memory map of a file; ValueError if it is empty or stands only for one."""
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise damaged("it is empty")
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if data[:23] == b"version https://git-lfs":
        raise ValueError("it is only Git LFS's pointer to the weights: run `git lfs pull` in its folder.")
    return data


def _open_file(path):
    try:
        data = map_file(path)
        layout = safetensors_layout(path, data) if path.suffix == ".safetensors" else torch_layout(data)
        for stored in layout.values():
            _view(data, stored)  # NumPy checks that it fits
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return data, layout


def _view(data, stored):
    if 0 in stored.shape:
        return np.empty(stored.shape, stored.dtype)
    return np.ndarray(stored.shape, stored.dtype, data, stored.offset, stored.strides)


def write_checkpoint(folder, tensors, read, *, max_shard_size="5GB", metadata=None):
    """Write safetensors, one tensor in memory at a time: model.safetensors, or shards and their index.

    Args:
        folder: an existing folder, usually the one that `atomic_folder` gave.
        tensors: {name: TensorInfo} (or anything with `shape` and `dtype`).
        read: called with a name, returns the array of that shape and dtype.
        max_shard_size: bytes, or a string such as "500MB" or "2GiB"; only a larger single tensor exceeds it.
        metadata: {str: str} for the header; {"format": "pt"}, which Transformers asks for, by default.
    """
    limit = _bytes(max_shard_size)
    infos = {name: TensorInfo(tuple(info.shape), np.dtype(info.dtype)) for name, info in tensors.items()}
    for name, info in infos.items():
        if info.dtype.name not in _CODES:
            raise TypeError(f"Tensor {name!r} has dtype {info.dtype}, which safetensors cannot store.")
    shards, size = [{}], 0
    for name, info in infos.items():
        if shards[-1] and size + info.nbytes > limit:
            shards.append({})
            size = 0
        shards[-1][name] = info
        size += info.nbytes
    files = [f"model-{i:05}-of-{len(shards):05}.safetensors" for i in range(1, len(shards) + 1)]
    if len(shards) == 1:
        files = [SINGLE]
    for file, shard in zip(files, shards, strict=True):
        _write_safetensors(Path(folder, file), shard, read, metadata or {"format": "pt"})
    if len(shards) > 1:
        total = sum(info.nbytes for info in infos.values())
        where = {name: file for file, shard in zip(files, shards, strict=True) for name in shard}
        index = {"metadata": {"total_size": total}, "weight_map": where}
        Path(folder, INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_safetensors(path, infos, read, metadata):
    order = sorted(infos, key=lambda name: (-infos[name].dtype.itemsize, name))  # wide first: all stay aligned
    header, offset = {"__metadata__": metadata}, 0
    for name in order:
        shape, dtype = infos[name]
        end = offset + infos[name].nbytes
        header[name] = {"dtype": _CODES[dtype.name], "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            array = np.asarray(read(name))
            if TensorInfo(array.shape, array.dtype) != infos[name]:
                raise ValueError(f"Tensor {name!r} is {array.dtype} {array.shape}, but {infos[name]} was announced.")
            file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def _bytes(size):
    units = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *([A-Z]*)", str(size).strip().upper())
    if not match or match[2] not in units or not (count := int(float(match[1]) * units[match[2]])):
        raise ValueError(f"max_shard_size={size!r} is no size: pass bytes, or a string such as '500MB' or '5GB'.")
    return count


@contextmanager
def atomic_folder(target):
    """Write a folder all or not at all: `with atomic_folder(target) as folder:` gives a temporary one to fill.

    At the end its files move into `target` (made if need be). Weights of a former save go when new ones come; other
    files stay. If anything fails or interrupts, `target` is left, or put back, as it was.
    """
    target = Path(target).resolve()
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"Cannot save to {str(target)!r}: it is a file; name a folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target if target.is_dir() else target.parent  # on the same disk, so that moving is renaming
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=beside) as temporary, ExitStack() as undo:
        new, old = Path(temporary, "new"), Path(temporary, "old")
        new.mkdir()
        yield new

        def make(folder):
            if not folder.exists():
                make(folder.parent)
                folder.mkdir()
                undo.callback(folder.rmdir)

        def move(source, destination):
            make(destination.parent)
            os.replace(source, destination)
            undo.callback(os.replace, destination, source)

        make(target)
        files = [path.relative_to(new) for path in new.rglob("*") if path.is_file()]
        replaced = {file for file in files if (target / file).exists()}
        if any(_is_weights(file.name) for file in files):
            replaced |= {Path(path.name) for path in target.iterdir() if _is_weights(path.name)}
        for file in replaced:  # first out with the old, so that nobody ever loads a mix of the two
            move(target / file, old / file)
        for file in files:
            move(new / file, target / file)
        undo.pop_all()


def _is_weights(filename):
    return _WEIGHT_FILE.fullmatch(filename) is not None

"""GGUF: llama.cpp's files, each of which holds a whole preset, configuration, tokenizer and weights.

The layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The header is read here, since no count and no
offset in it may be trusted; what the many kinds of quantised blocks mean, the `gguf` package knows.
"""

import math
import mmap
import struct
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np

from keras_tfm.presets.io.checkpoint import TensorInfo, map_file
from keras_tfm.presets.io.gguf_names import config_of, parts_of
from keras_tfm.presets.io.hub import Preset
from keras_tfm.presets.io.layout import damaged

VERSIONS = (2, 3)
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
PLAIN = {"F32": np.dtype("float32"), "F16": np.dtype("float16"), "BF16": np.dtype(ml_dtypes.bfloat16)}
AT_ONCE = 1 << 22  # how many values are dequantised at a time


class GGUFPreset(Preset):
    """A GGUF file as the preset that it stands for; it has a config.json, made from its metadata, and no other file."""

    def __init__(self, path):
        super().__init__(str(path), Path(path).parent)
        self._path = Path(path)

    @cached_property
    def file(self):
        return GGUFFile(self._path)

    @property
    def metadata(self):
        return self.file.metadata

    def json(self, filename):
        return config_of(self.file) if filename == "config.json" else None

    def checkpoint(self):
        """The weights, as `open_checkpoint` gives them."""
        return GGUFCheckpoint(self.file)

    def folder(self, name):
        return []

    def _locate(self, filename):
        return self._path if filename == "config.json" else None

    def _hint(self):
        return "a GGUF file holds a configuration, a tokenizer and weights."


class GGUFCheckpoint(Mapping):
    """As `Checkpoint`, under the names that the tensors have on the Hub: {tensor name: TensorInfo}.

    Quantised tensors are dequantised when they are read, to float32.
    """

    def __init__(self, file):
        self._file, self._parts = file, parts_of(file)

    def __getitem__(self, name):
        part = self._parts[name]
        stored = self._file.tensors[part.tensor]
        shape = stored.shape if part.index is None else stored.shape[1:]
        return TensorInfo(shape[::-1] if part.undo is np.transpose else shape, stored.dtype)

    def __iter__(self):
        return iter(self._parts)

    def __len__(self):
        return len(self._parts)

    def file(self, name):
        """Path of the file that holds a tensor."""
        return self._file.path

    def read(self, name):
        """The values of a tensor, in the order of the Hub."""
        part = self._parts[name]
        array = self._file.read(part.tensor, part.index)
        return part.undo(array) if part.undo else array

    def close(self):
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Stored(NamedTuple):
    """Where a tensor is: its shape, its kind ("F16", "Q4_K") and its bytes in the file.

    A row, the last axis, is made of blocks of `block` values in `size` bytes.
    """

    shape: tuple
    kind: object  # GGMLQuantizationType
    block: int
    size: int
    offset: int

    @property
    def dtype(self):
        """What its values are read as."""
        return PLAIN.get(self.kind.name, PLAIN["F32"])

    @property
    def packed_shape(self):
        """As bytes."""
        return (*self.shape[:-1], self.shape[-1] // self.block * self.size)


class GGUFFile:
    """`metadata` {key: value} and `tensors` {name: Stored} of a file, which stays memory-mapped until `close`.

    Raises:
        ValueError: no GGUF, a damaged file, a part of a divided one, a kind of tensor that cannot be read.
        ImportError: the `gguf` package is missing.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            self._data = map_file(self.path)
            if self._data[:4] != b"GGUF":
                raise ValueError("it is no GGUF file: it does not begin with that word.")
            self.metadata, self.tensors = self._header(_Reader(self._data, 4))
        except (ValueError, RecursionError, struct.error) as error:
            reason = error if type(error) is ValueError else damaged(f"its header cannot be read ({error})")
            raise ValueError(f"{self.path}: {reason}") from None

    def _header(self, reader):
        (version,) = reader.numbers("I")
        if version & 0xFFFF == 0:
            raise ValueError("it is for machines of the other byte order (big-endian): fetch the usual file.")
        if version not in VERSIONS:
            raise ValueError(f"it is of GGUF's version {version}, and 2 and 3 can be read: convert the model anew.")
        count, pairs = reader.numbers("QQ")
        metadata = dict(reader.pair() for _ in range(pairs))
        if (parts := metadata.get("split.count", 1)) != 1:
            raise ValueError(
                f"it is one of {parts} parts: join them with `llama-gguf-split --merge` and load the whole."
            )
        tensors = [reader.tensor() for _ in range(count)]
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or alignment < 1:
            raise damaged(f"its alignment is {alignment!r}")
        start = -(-reader.at // alignment) * alignment
        kinds = _kinds({kind for _, _, kind, _ in tensors})
        stored = {name: Stored(shape, *kinds[kind], start + offset) for name, shape, kind, offset in tensors}
        if len(stored) < count:
            raise damaged("it has two tensors of the same name")
        for name, tensor in stored.items():
            if 0 in tensor.shape or tensor.shape[-1] % tensor.block:
                raise damaged(f"a row of {name!r} is no whole number of {tensor.kind.name} blocks")
            if tensor.offset + math.prod(tensor.packed_shape) > len(self._data):
                raise damaged(f"tensor {name!r} reaches beyond the end of the file")
        return metadata, stored

    def read(self, name, index=None):
        """The values of a tensor, or of one place of its first axis: in its own dtype, or dequantised to float32."""
        from gguf.quants import dequantize

        stored = self.tensors[name]
        if hasattr(mmap, "MADV_DONTNEED"):
            self._data.madvise(mmap.MADV_DONTNEED)  # as in `Checkpoint.read`
        packed = np.ndarray(stored.packed_shape, np.uint8, self._data, stored.offset)
        packed = packed if index is None else packed[index]
        if stored.kind.name in PLAIN:
            return np.require(packed.view(stored.dtype), requirements="A")
        rows = packed.reshape(-1, packed.shape[-1])
        values = np.empty((len(rows), stored.shape[-1]), "float32")
        step = max(1, AT_ONCE // max(1, stored.shape[-1]))
        for first in range(0, len(rows), step):
            values[first : first + step] = dequantize(rows[first : first + step], stored.kind)
        return values.reshape(*packed.shape[:-1], -1)

    def close(self):
        """Let the file go; arrays that were read stay valid."""
        self._data = None


def _kinds(numbers):
    """{number of a kind of tensor: (kind, values a block, bytes a block)}."""
    try:
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
        from gguf.quants import dequantize
    except ImportError as error:
        raise ImportError("reading GGUF files needs the gguf package: pip install 'keras-tfm[gguf]'") from error
    kinds = {}
    for number in numbers:
        try:
            kind = GGMLQuantizationType(number)
            block, size = GGML_QUANT_SIZES[kind]
            if kind.name not in PLAIN:
                dequantize(np.zeros((1, size), np.uint8), kind)
        except (ValueError, KeyError):
            raise ValueError(
                f"it has tensors of the unknown kind {number}: update the gguf package, or fetch the model quantised "
                "in another way (such as Q4_K_M or Q8_0)."
            ) from None
        except NotImplementedError:
            raise ValueError(
                f"it has {kind.name} tensors, which the gguf package cannot dequantise: fetch the model quantised in "
                "another way (such as Q4_K_M or Q8_0)."
            ) from None
        kinds[number] = kind, block, size
    return kinds


class _Reader:
    """Reads a header value by value. What leads beyond the end of the data is an error before anything is made."""

    def __init__(self, data, at):
        self.data, self.at = data, at

    def numbers(self, codes):
        values = struct.unpack_from(f"<{codes}", self.data, self.at)
        self.at += struct.calcsize(f"<{codes}")
        return values

    def text(self):
        (size,) = self.numbers("Q")
        self._expect(size)
        self.at += size
        return str(self.data[self.at - size : self.at], "utf-8")

    def pair(self):
        key = self.text()
        return key, self.value(*self.numbers("I"))

    def value(self, kind):
        if kind in NUMBERS:
            return self.numbers(NUMBERS[kind])[0]
        if kind == TEXT:
            return self.text()
        if kind != ARRAY:
            raise damaged(f"it holds a value of the unknown kind {kind}")
        kind, count = self.numbers("IQ")
        self._expect(count)  # bytes at least
        if kind in NUMBERS:
            return list(self.numbers(f"{count}{NUMBERS[kind]}"))
        return [self.value(kind) for _ in range(count)]

    def tensor(self):
        """Name, shape (the slowest axis first, as in NumPy), number of the kind, offset behind the header."""
        name = self.text()
        (axes,) = self.numbers("I")
        if not 1 <= axes <= 4:
            raise damaged(f"tensor {name!r} has {axes} axes")
        shape = self.numbers(f"{axes}Q")[::-1]
        return name, shape, *self.numbers("IQ")

    def _expect(self, size):
        if size > len(self.data) - self.at:
            raise damaged("its header reaches beyond the end of the file")

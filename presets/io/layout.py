"""Where the tensors lie in a checkpoint file: safetensors, and PyTorch's zip and legacy formats.

PyTorch files describe their tensors by a pickle. It is never unpickled: `_parse` below follows its opcodes and knows
only those that build plain values and the few PyTorch functions that describe tensors, none of which is called.
"""

import json
import math
import pickletools
import struct
import sys
import zipfile
from typing import NamedTuple

import ml_dtypes  # noqa: F401 (teaches NumPy the names bfloat16, float8_e4m3fn, ...)
import numpy as np
from safetensors import SafetensorError, safe_open

# fmt: off
SAFETENSORS_DTYPES = {
    "BOOL": "bool", "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64", "I8": "int8", "I16": "int16",
    "I32": "int32", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
}
_STORAGE_DTYPES = {
    "torch.BoolStorage": "bool", "torch.ByteStorage": "uint8", "torch.CharStorage": "int8",
    "torch.ShortStorage": "int16", "torch.IntStorage": "int32", "torch.LongStorage": "int64",
    "torch.HalfStorage": "float16", "torch.BFloat16Storage": "bfloat16", "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64", "torch.ComplexFloatStorage": "complex64",
    "torch.storage.UntypedStorage": "uint8",
}
_TORCH_DTYPES = {f"torch.{name}": name for name in SAFETENSORS_DTYPES.values()}
_REBUILDS = {f"torch._utils.{name}" for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3")}
_GLOBALS = {
    "collections.OrderedDict", "torch.Size", "torch._utils._rebuild_parameter",
    *_REBUILDS, *_STORAGE_DTYPES, *_TORCH_DTYPES,
}
_LITERALS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINBYTES", "SHORT_BINBYTES",
}
# fmt: on
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LEGACY_MAGIC, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Stored(NamedTuple):
    """One tensor in a file: strides and offset in bytes; swapped if its bytes are in the other byte order."""

    shape: tuple
    dtype: np.dtype
    offset: int
    strides: tuple | None = None
    swapped: bool = False


def damaged(what):
    return ValueError(f"the file is damaged or cut short ({what}): download it again.")


def safetensors_layout(path, data):
    """{name: Stored} of a safetensors file, memory-mapped as `data`."""
    try:
        with safe_open(path, framework="numpy"):  # the library checks the header, the offsets and the length
            pass
    except SafetensorError as error:
        raise damaged(error) from None
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    for name, entry in header.items():
        if entry["dtype"] not in SAFETENSORS_DTYPES:
            raise ValueError(f"tensor {name!r} has dtype {entry['dtype']}, which NumPy has no type for.")
    return {
        name: Stored(tuple(e["shape"]), np.dtype(SAFETENSORS_DTYPES[e["dtype"]]), start + e["data_offsets"][0])
        for name, e in header.items()
    }


def torch_layout(data):
    """{name: Stored} of a file written by torch.save, memory-mapped as `data`."""
    root, storages, swapped = _open_zip(data) if data[:4] == b"PK\x03\x04" else _open_legacy(data)
    for key in ("state_dict", "model"):  # training checkpoints keep the weights one level down
        if isinstance(root, dict) and isinstance(root.get(key), dict):
            root = root[key]
    tensors = {name: value for name, value in root.items() if isinstance(value, _Tensor)} if type(root) is dict else {}
    if not tensors:
        raise ValueError("it holds no dictionary of tensors, which torch.save(model.state_dict(), ...) would write.")
    return {name: _place(name, tensor, storages, swapped) for name, tensor in tensors.items()}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    storage: _Storage
    dtype: np.dtype
    offset: int  # here and in strides, in elements
    shape: tuple
    strides: tuple


def _open_zip(data):
    """What the pickle describes, {storage key: (first byte, bytes)}, whether the bytes need swapping."""
    try:
        members = zipfile.ZipFile(data).infolist()
    except (zipfile.BadZipFile, NotImplementedError, OverflowError, ValueError, struct.error) as error:
        raise damaged(error) from None
    ranges = {}
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"{member.filename!r} is compressed or encrypted, which torch.save never does.")
        lengths = data[member.header_offset + 26 : member.header_offset + 30]  # of its name and its extra field
        start = member.header_offset + 30 + int.from_bytes(lengths[:2], "little")
        start += int.from_bytes(lengths[2:], "little")
        if not 30 <= start <= start + member.file_size <= len(data):
            raise damaged(f"{member.filename!r} lies outside the file")
        ranges[member.filename.partition("/")[2]] = start, member.file_size
    if "data.pkl" not in ranges:
        raise ValueError("it is a zip file, but not one that torch.save wrote (no data.pkl).")

    def content(name):
        start, size = ranges[name]
        return data[start : start + size]

    order = content("byteorder").decode("latin-1") if "byteorder" in ranges else "little"
    storages = {name.removeprefix("data/"): where for name, where in ranges.items() if name.startswith("data/")}
    return _parse(content("data.pkl")), storages, order != sys.byteorder


def _open_legacy(data):
    """As `_open_zip`; the old format is five pickles, then the storages, each after its number of elements."""
    data.seek(0)
    if data[:1] != b"\x80" or _parse(data) != _LEGACY_MAGIC:
        raise damaged("it begins like no file of PyTorch")
    if _parse(data) != _LEGACY_PROTOCOL:
        raise ValueError("it is in a version of PyTorch's legacy format that is not known.")
    _parse(data)  # about the machine that wrote it; the storages are little-endian on every machine
    itemsizes = {}
    root = _parse(data, itemsizes)
    keys = _parse(data)
    storages, position = {}, data.tell()
    for key in keys if type(keys) is list else ():
        if type(key) is not str or key not in itemsizes:
            raise damaged("it holds data that no tensor uses")
        count = int.from_bytes(data[position : position + 8], "little", signed=True)
        storages[key] = position + 8, count * itemsizes[key]
        position += 8 + count * itemsizes[key]
        if count < 0 or position > len(data):
            raise damaged(f"storage {key} ends beyond the file")
    return root, storages, sys.byteorder != "little"


def _place(name, tensor, storages, swapped):
    """Turn elements of a storage into bytes of the file, refusing what reaches outside the storage."""
    (key, _), dtype, offset, shape, strides = tensor
    numbers = (offset, *shape, *strides) if type(shape) is type(strides) is tuple else (None,)
    if any(type(n) is not int or not 0 <= n < 2**48 for n in numbers) or len(shape) != len(strides) or len(shape) > 32:
        raise damaged(f"tensor {name!r} has an impossible shape")
    if key not in storages:
        raise damaged(f"the data of tensor {name!r} are missing")
    start, size = storages[key]
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if math.prod(shape) and (last + 1) * dtype.itemsize > size:
        raise damaged(f"tensor {name!r} reaches outside its data")
    steps = tuple(stride * dtype.itemsize for stride in strides)
    return Stored(shape, dtype, start + offset * dtype.itemsize, steps, swapped)


def _parse(stream, itemsizes=None):
    """The plain value that a pickle (bytes, or a file at its first byte) describes; the file is left after it.

    Tensors become `_Tensor`, functions and types their names. Attributes set on objects are dropped, as are entries of
    dictionaries whose key is no string. `itemsizes`, if given, collects {storage key: bytes an element}.
    """
    stack, below, memo = [], [], {}
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            name = opcode.name
            if name in _LITERALS:
                stack.append(argument)
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            elif name == "EMPTY_DICT":
                stack.append({})
            elif name == "EMPTY_LIST":
                stack.append([])
            elif name == "MARK":
                below.append(stack)
                stack = []
            elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
                size = int(name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            elif name in ("TUPLE", "APPENDS", "SETITEMS"):
                items, stack = stack, below.pop()
                if name == "TUPLE":
                    stack.append(tuple(items))
                elif name == "APPENDS":
                    stack[-1].extend(items)
                else:
                    _update(stack[-1], zip(items[::2], items[1::2], strict=True))
            elif name == "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            elif name == "SETITEM":
                key, value = stack[-2:]
                del stack[-2:]
                _update(stack[-1], [(key, value)])
            elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[argument] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name in ("GLOBAL", "STACK_GLOBAL"):
                if name == "STACK_GLOBAL":
                    argument = " ".join([stack.pop(-2), stack.pop()])
                stack.append(_known(argument.replace(" ", ".")))
            elif name == "REDUCE":
                arguments = stack.pop()
                stack.append(_describe(stack.pop(), arguments))
            elif name == "BINPERSID":
                storage = _storage(*stack.pop())
                stack.append(storage)
                if itemsizes is not None:
                    itemsizes[storage.key] = storage.dtype.itemsize
            elif name == "BUILD":
                stack.pop()
            elif name == "STOP":
                return stack.pop()
            elif name not in ("PROTO", "FRAME"):
                raise _Refused(f"the pickle operation {name}")
    except _Refused as error:
        raise ValueError(
            f"it asks for {error}, which a plain dictionary of tensors does not need. Nothing of it was run; "
            "use a safetensors file of this model instead."
        ) from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError) as error:
        raise damaged(f"its table of tensors cannot be read: {error}") from None


class _Refused(Exception):
    pass


def _known(name):
    if type(name) is not str:
        raise TypeError("a name that is no text")
    if name not in _GLOBALS:
        raise _Refused(name)
    return name


def _update(target, items):
    if type(target) is not dict:
        raise TypeError("items set on what is no dictionary")
    target.update((key, value) for key, value in items if type(key) is str)


def _storage(tag, kind, key, location, count, view=None):
    if tag != "storage" or type(key) is not str or type(kind) is not str or view is not None:
        raise _Refused("a kind of stored object that is not known")
    return _Storage(key, np.dtype(_STORAGE_DTYPES[kind]))


def _describe(function, arguments):
    """The inert description that stands for calling one of `_GLOBALS`."""
    if type(function) is not str or type(arguments) is not tuple:
        raise TypeError("a call of what is no function")
    if function == "collections.OrderedDict":
        described = {}
        for items in arguments:
            _update(described, items)
    elif function in ("torch.Size", "torch._utils._rebuild_parameter"):
        described = arguments[0]
    elif function in _REBUILDS:
        storage, offset, shape, strides, *rest = arguments
        if type(storage) is not _Storage:
            raise TypeError("a tensor without a storage")
        dtype = storage.dtype
        if function.endswith("_v3"):  # (gradient, hooks, dtype)
            dtype = np.dtype(_TORCH_DTYPES[_known(rest[2])])
        described = _Tensor(storage, dtype, offset, shape, strides)
    else:
        raise _Refused(f"a call of {function}")
    return described

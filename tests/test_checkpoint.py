"""Reading checkpoints of every format, refusing bad ones, writing safetensors, replacing folders. Needs no backend."""

import errno
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open

from keras_tfm.presets.io import checkpoint as module
from keras_tfm.presets.io.checkpoint import Checkpoint, TensorInfo, atomic_folder, open_checkpoint, write_checkpoint
from keras_tfm.presets.io.hub import open_preset

FIXTURES = Path(__file__).parent / "fixtures" / "checkpoints"
MAGIC = 0x1950A86A20F9469CFC6C


def same(a, b):
    """Equal to the bit, NaNs included."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def weights():
    """Arrays of many dtypes and shapes, among them a scalar and an empty one."""
    rng = np.random.default_rng(0)
    names = ["float32", "float16", "float64", "bfloat16", "float8_e4m3fn", "int8", "uint8", "int32", "int64", "uint16"]
    arrays = {name: rng.normal(size=(3, 5)).astype(np.dtype(name)) for name in names}
    return arrays | {
        "bool": rng.random(7) < 0.5,
        "nan": np.array([np.nan, -0.0, np.inf], np.float32),
        "scalar": np.array(3, np.int64),
        "empty": np.zeros((0, 4), np.float32),
    }


def infos(arrays):
    return {name: TensorInfo(array.shape, array.dtype) for name, array in arrays.items()}


# PyTorch files made by hand. `literal` is a pickled value without the pickle's first and last opcode.


def literal(value):
    return pickle.dumps(value, 2)[2:-1]


def called(name, *arguments):
    """The opcodes that call a global, named "module name", on arguments given as opcodes."""
    return b"c" + name.replace(" ", "\n").encode() + b"\n(" + b"".join(arguments) + b"tR"


def storage(key="0", kind="torch FloatStorage", count=6):
    kind = b"c" + kind.replace(" ", "\n").encode() + b"\n"
    return b"(" + literal("storage") + kind + literal(key) + literal("cpu") + literal(count) + b"tQ"


def tensor(shape=(2, 3), strides=(3, 1), offset=0, of=None):
    arguments = literal(offset), literal(shape), literal(strides), literal(False), called("collections OrderedDict")
    return called("torch._utils _rebuild_tensor_v2", of or storage(), *arguments)


def dictionary(**values):
    return b"}(" + b"".join(literal(name) + value for name, value in values.items()) + b"u"


NUMBERS = np.arange(6, dtype=np.float32)
DATA = NUMBERS.tobytes()


def write_zip(path, opcodes, data=DATA, members=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", b"\x80\x02" + opcodes + b".")
        for name, content in ({"data/0": data} if members is None else members).items():
            file.writestr(f"archive/{name}", content)
    return path


def write_legacy(path, opcodes, data=DATA, count=6):
    head = b"".join(pickle.dumps(value, 2) for value in (MAGIC, 1001, {"little_endian": True}))
    tail = pickle.dumps(["0"], 2) + struct.pack("<q", count) + data
    path.write_bytes(head + b"\x80\x02" + opcodes + b"." + tail)
    return path


@pytest.fixture(params=[write_zip, write_legacy], ids=["zip", "legacy"])
def write_torch(request, tmp_path):
    return lambda opcodes, **options: request.param(tmp_path / "pytorch_model.bin", opcodes, **options)


# Reading


@pytest.mark.parametrize("filename", ["zip.bin", "legacy.bin"])
def test_files_by_torch(filename):
    expected = json.loads((FIXTURES / "expected.json").read_text())
    with Checkpoint([FIXTURES / filename]) as checkpoint:
        assert set(checkpoint) == set(expected)
        for name, entry in expected.items():
            array = checkpoint.read(name)
            assert array.dtype == entry["dtype"]
            assert array.shape == tuple(entry["shape"])
            assert checkpoint[name] == TensorInfo(array.shape, array.dtype)
            values = array.reshape(-1)
            values = values.view(np.float32) if array.dtype.kind == "c" else values
            np.testing.assert_array_equal(values.astype(np.float64), entry["values"])


def test_torch_is_not_imported():
    code = "import sys; from keras_tfm.presets.io.checkpoint import Checkpoint; Checkpoint(sys.argv[1:]);"
    code += "print({'torch', 'tensorflow', 'transformers'} & set(sys.modules))"
    files = [FIXTURES / "zip.bin", FIXTURES / "legacy.bin"]
    env = os.environ | {"KERAS_BACKEND": "jax"}
    result = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, env=env)
    assert result.stdout == "set()\n"


def test_safetensors(tmp_path):
    arrays = weights()
    safetensors.numpy.save_file(arrays, tmp_path / "model.safetensors", {"format": "pt"})
    checkpoint = open_checkpoint(open_preset(tmp_path))
    assert set(checkpoint) == set(arrays)
    assert all(same(checkpoint.read(name), array) for name, array in arrays.items())
    assert checkpoint.file("bool") == tmp_path / "model.safetensors"
    read = checkpoint.read("float32")
    assert not read.flags.writeable
    checkpoint.close()
    assert same(read, arrays["float32"])


def test_unaligned_safetensors(tmp_path):
    header = json.dumps({"x": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}}).encode()
    header += b" " * (1 - len(header) % 4)
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + NUMBERS.tobytes())
    array = Checkpoint([path]).read("x")
    assert array.flags.aligned
    assert same(array, NUMBERS)


def test_a_dtype_that_numpy_lacks(tmp_path):
    header = json.dumps({"x": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ValueError, match="model.safetensors: tensor 'x' has dtype F4"):
        Checkpoint([path])


def test_safetensors_come_first(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no weights.*model.safetensors.*pytorch_model.bin.index.json"):
        open_checkpoint(open_preset(tmp_path))
    write_zip(tmp_path / "pytorch_model.bin", dictionary(torch=tensor()))
    assert list(open_checkpoint(open_preset(tmp_path))) == ["torch"]
    safetensors.numpy.save_file({"safe": NUMBERS}, tmp_path / "model.safetensors")
    assert list(open_checkpoint(open_preset(tmp_path))) == ["safe"]


# Shards


@pytest.fixture
def sharded(tmp_path):
    """A folder with tensors a, b in two files; both files hold a tensor `twice`."""
    safetensors.numpy.save_file({"a": NUMBERS, "twice": NUMBERS}, tmp_path / "one.safetensors")
    safetensors.numpy.save_file({"b": -NUMBERS, "twice": -NUMBERS}, tmp_path / "two.safetensors")
    shards = {"a": "one.safetensors", "b": "two.safetensors", "twice": "one.safetensors"}

    def index(**changes):
        text = json.dumps({"weight_map": shards | changes})
        (tmp_path / "model.safetensors.index.json").write_text(text)
        return open_preset(tmp_path)

    return index


def test_shards(sharded, tmp_path):
    checkpoint = open_checkpoint(sharded())
    assert set(checkpoint) == {"a", "b", "twice"}
    assert checkpoint.file("b") == tmp_path / "two.safetensors"
    assert same(checkpoint.read("b"), -NUMBERS)
    assert same(checkpoint.read("twice"), NUMBERS)
    assert same(open_checkpoint(sharded(twice="two.safetensors")).read("twice"), -NUMBERS)


def test_shards_of_torch_files(tmp_path):
    write_zip(tmp_path / "pytorch_model-1.bin", dictionary(a=tensor()))
    write_legacy(tmp_path / "pytorch_model-2.bin", dictionary(b=tensor()))
    index = {"weight_map": {"a": "pytorch_model-1.bin", "b": "pytorch_model-2.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    checkpoint = open_checkpoint(open_preset(tmp_path))
    assert all(same(checkpoint.read(name), NUMBERS.reshape(2, 3)) for name in "ab")


def test_missing_shard(sharded):
    with pytest.raises(FileNotFoundError, match="has no three.safetensors, which its model.safetensors.index.json"):
        open_checkpoint(sharded(c="three.safetensors"))


@pytest.mark.parametrize("name", ["c", "a"])
def test_tensor_that_its_shard_lacks(sharded, name):
    with pytest.raises(ValueError, match=f"two.safetensors lacks tensor '{name}', which model.safetensors.index.json"):
        open_checkpoint(sharded(**{name: "two.safetensors"}))


def test_shards_outside_the_folder(sharded):
    with pytest.raises(ValueError, match="refused"):
        open_checkpoint(sharded(c="../one.safetensors"))


@pytest.mark.parametrize("index", [{}, {"weight_map": ["a"]}, {"weight_map": {"a": 1}}])
def test_bad_index(tmp_path, index):
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="has no weight_map"):
        open_checkpoint(open_preset(tmp_path))


# PyTorch files by hand


def test_views_of_one_storage(write_torch):
    opcodes = dictionary(
        rows=tensor(), columns=tensor((3, 2), (1, 3)), tail=tensor((2,), (2,), 1), none=tensor((0, 3), (3, 1), 6)
    )
    checkpoint = Checkpoint([write_torch(opcodes)])
    grid = NUMBERS.reshape(2, 3)
    expected = {"rows": grid, "columns": grid.T, "tail": NUMBERS[1:4:2], "none": grid[:0]}
    assert set(checkpoint) == set(expected)
    assert all(same(checkpoint.read(name), array) for name, array in expected.items())


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_weights_one_level_down(write_torch, key):
    opcodes = dictionary(**{key: dictionary(x=tensor(), step=literal(3)), "epoch": literal(7), "log": literal([[1]])})
    assert list(Checkpoint([write_torch(opcodes)])) == ["x"]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(write_torch, protocol):
    extras = pickle.dumps({"text": "é", "list": [1, -2.5, None, True, (1, 2, 3, 4)], "large": 2**40}, protocol)[2:-1]
    assert list(Checkpoint([write_torch(dictionary(x=tensor(), extras=extras))])) == ["x"]


def test_ordered_dictionary_of_python_2(write_torch):
    items = b"](](" + literal("x") + tensor() + b"ee"
    assert list(Checkpoint([write_torch(called("collections OrderedDict", items))])) == ["x"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64", "int64", "bool"])
def test_big_endian(tmp_path, dtype):
    names = {"float32": "Float", "bfloat16": "BFloat16", "complex64": "ComplexFloat", "int64": "Long", "bool": "Bool"}
    array = np.arange(6).astype(np.dtype(dtype)).reshape(2, 3)
    members = {"data/0": array.byteswap().tobytes(), "byteorder": b"big"}
    opcodes = dictionary(x=tensor(of=storage(kind=f"torch {names[dtype]}Storage")))
    assert same(Checkpoint([write_zip(tmp_path / "a.bin", opcodes, members=members)]).read("x"), array)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_code_is_refused_and_not_run(write_torch, tmp_path):
    victim = tmp_path / "it_ran"
    path = write_torch(dictionary(x=tensor(), y=literal(Evil(victim))))
    with pytest.raises(ValueError, match=r"pytorch_model.bin: it asks for \w+.system.*Nothing of it was run"):
        Checkpoint([path])
    path.write_bytes(pickle.dumps(Evil(victim)))  # a bare pickle
    with pytest.raises(ValueError, match=r"it asks for \w+.system"):
        Checkpoint([path])
    assert not victim.exists()
    pickle.loads(path.read_bytes())
    assert victim.exists()  # the bait was real


@pytest.mark.parametrize(
    ("opcodes", "named"),
    [
        (called("builtins eval", literal("1")), "builtins.eval"),
        (called("torch.storage _load_from_bytes", literal("1")), "torch.storage._load_from_bytes"),
        (called("torch FloatStorage", literal(1)), "a call of torch.FloatStorage"),
        (literal("builtins") + literal("eval") + b"\x93", "builtins.eval"),
        (b"(ios\nsystem\n", "INST"),
        (b"(cbuiltins\neval\no", "builtins.eval"),
        (b"(ctorch\nSize\no", "OBJ"),
        (b"ctorch\nSize\n)\x81", "NEWOBJ"),
        (b"\x82\x01", "EXT1"),
        (b"P0\n", "PERSID"),
        (storage() + b"(" + literal("module") + literal(1) * 4 + b"tQ", "a kind of stored object"),
    ],
)
def test_other_operations_are_refused(write_torch, opcodes, named):
    with pytest.raises(ValueError, match=f"it asks for .*{named}"):
        Checkpoint([write_torch(dictionary(x=tensor(), y=opcodes))])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"shape": (2, 4)}, "'x' reaches outside"),
        ({"strides": (4, 1)}, "'x' reaches outside"),
        ({"offset": 1}, "'x' reaches outside"),
        ({"shape": (2**47,), "strides": (2**47,)}, "'x' reaches outside"),
        ({"offset": -1}, "'x' has an impossible shape"),
        ({"strides": (-3, 1)}, "'x' has an impossible shape"),
        ({"shape": (2**80,), "strides": (0,)}, "'x' has an impossible shape"),
        ({"shape": (2.0, 3)}, "'x' has an impossible shape"),
        ({"shape": [2, 3]}, "'x' has an impossible shape"),
        ({"shape": (6,)}, "'x' has an impossible shape"),
        ({"shape": (1,) * 40, "strides": (1,) * 40}, "'x' has an impossible shape"),
        ({"shape": (2**40,) * 3, "strides": (0,) * 3}, "too big"),
    ],
)
def test_shapes_outside_the_data(write_torch, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Checkpoint([write_torch(dictionary(x=tensor(**arguments)))])


DEEP = b")" + b"\x85" * 100_000  # a tuple in a tuple in a tuple ...: hashing it would exhaust the C stack
LAUGHS = b")" + b"q\x00h\x00\x86" * 100  # a pair of a pair of ...: visiting all of it would take for ever


@pytest.mark.parametrize("value", [DEEP, LAUGHS], ids=["deep", "laughs"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        lambda value: b"}" + value + literal(1) + b"s",
        lambda value: value + b")R",
        lambda value: called("torch._utils _rebuild_tensor_v2", value, *[literal(1)] * 3),
        lambda value: called("torch._utils _rebuild_tensor_v2", storage(), literal(0), value, literal(1)),
        lambda value: called("torch._utils _rebuild_tensor_v3", storage(), *[literal(1)] * 5, value),
        lambda value: b"(" + literal("storage") + value + literal("0") + literal("cpu") + literal(1) + b"tQ",
        lambda value: b"(" + value + storage() + literal("0") + literal("cpu") + literal(1) + b"tQ",
        lambda value: value + literal("x") + b"\x93",
    ],
)
def test_hostile_nesting(tmp_path, value, wrap):
    with pytest.raises(ValueError, match="hostile.bin: "):
        Checkpoint([write_zip(tmp_path / "hostile.bin", wrap(value))])


@pytest.mark.parametrize(
    "opcodes",
    [
        b"",
        b"0",
        b"t",
        b"u",
        b"h\x05",
        b"\x85\x86R",
        b"Nq\xff",
        b"\x8d" + b"\xff" * 8,
        b"\x8b\xff\xff\xff\x7f",
        b"X\xff\xff\xff\xff",
        b"I" + b"9" * 5000 + b"\n",
        literal(1) + b"Q",
        literal(3) + literal(4) + b"a",
        b"NN\x93",
        b"N}r\xff\xff\xff\xffb",
        called("torch Size"),
        called("torch._utils _rebuild_parameter", literal(1)),
    ],
)
def test_damaged_tables(write_torch, opcodes):
    with pytest.raises(ValueError, match="pytorch_model.bin: "):
        Checkpoint([write_torch(opcodes)])


def test_odd_zip_files(tmp_path):
    path, opcodes = tmp_path / "pytorch_model.bin", dictionary(x=tensor())
    with pytest.raises(ValueError, match="compressed"):
        Checkpoint([write_zip(path, opcodes, compression=zipfile.ZIP_DEFLATED)])
    with pytest.raises(ValueError, match="the data of tensor 'x' are missing"):
        Checkpoint([write_zip(path, opcodes, members={})])
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match="not one that torch.save wrote"):
        Checkpoint([path])


def test_legacy_storages(tmp_path):
    path, opcodes = tmp_path / "pytorch_model.bin", dictionary(x=tensor())
    for count in (7, -1, 2**62):
        with pytest.raises(ValueError, match="storage 0 ends beyond the file"):
            Checkpoint([write_legacy(path, opcodes, count=count)])
    with pytest.raises(ValueError, match="'x' reaches outside"):
        Checkpoint([write_legacy(path, opcodes, count=5)])


# Damage


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_files_that_are_something_else(tmp_path, suffix):
    path = tmp_path / f"model.{suffix}"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    with pytest.raises(ValueError, match=f"model.{suffix}: .*git lfs pull"):
        Checkpoint([path])
    for content in (b"", b"<html>Not found</html>", b"PK\x03\x04", b"\x80\x02", b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"model.{suffix}: .*download it again"):
            Checkpoint([path])


@pytest.fixture
def real_files(tmp_path):
    safetensors.numpy.save_file(weights(), tmp_path / "model.safetensors")
    return [tmp_path / "model.safetensors", FIXTURES / "zip.bin", FIXTURES / "legacy.bin"]


def test_truncated_files(real_files, tmp_path):
    for source in real_files:
        content, path = source.read_bytes(), tmp_path / f"cut{source.suffix}"
        for length in range(0, len(content), 23):
            path.write_bytes(content[:length])
            with pytest.raises(ValueError, match=f"{path.name}: .*download it again"):
                Checkpoint([path])


def test_damaged_files_never_crash(real_files, tmp_path):
    chance = random.Random(0)
    for source in real_files:
        content, path = source.read_bytes(), tmp_path / f"flipped{source.suffix}"
        refused = 0
        for _ in range(100):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            path.write_bytes(damaged)
            try:
                checkpoint = Checkpoint([path])
            except ValueError as error:
                assert str(path) in str(error)  # noqa: PT017
                refused += 1
            else:
                for name in checkpoint:
                    checkpoint.read(name)
        assert refused > 20


# Writing


def test_write_and_read(tmp_path):
    arrays = weights()
    write_checkpoint(tmp_path, infos(arrays), arrays.__getitem__)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    checkpoint = open_checkpoint(open_preset(tmp_path))
    assert set(checkpoint) == set(arrays)
    assert all(same(checkpoint.read(name), array) for name, array in arrays.items())
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        assert file.metadata() == {"format": "pt"}
        assert set(file.keys()) == set(arrays)
        for name in set(arrays) - {"float8_e4m3fn"}:  # which the library does not read into NumPy
            assert same(file.get_tensor(name), arrays[name])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64"])
def test_same_bytes_as_the_library(tmp_path, dtype):
    arrays = {name: np.arange(n).astype(np.dtype(dtype)) for n, name in enumerate(["b", "é", "a.1", "a.0", "c"])}
    write_checkpoint(tmp_path, infos(arrays), arrays.__getitem__)
    safetensors.numpy.save_file(arrays, tmp_path / "library", {"format": "pt"})
    assert (tmp_path / "model.safetensors").read_bytes() == (tmp_path / "library").read_bytes()


def test_views_are_written_as_they_look(tmp_path):
    grid = np.arange(12, dtype=np.float32).reshape(3, 4)
    arrays = {"transposed": grid.T, "sliced": grid[:, ::2], "reversed": grid[::-1]}
    write_checkpoint(tmp_path, infos(arrays), arrays.__getitem__)
    checkpoint = Checkpoint([tmp_path / "model.safetensors"])
    assert all(same(checkpoint.read(name), array) for name, array in arrays.items())


def test_write_shards(tmp_path):
    arrays = {name: np.full(size, size, np.float32) for name, size in zip("abcde", [10, 10, 100, 5, 5], strict=True)}
    write_checkpoint(tmp_path, infos(arrays), arrays.__getitem__, max_shard_size=80, metadata={"made": "here"})
    files = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    where = dict(zip("abcde", [files[0], files[0], files[1], files[2], files[2]], strict=True))
    assert index == {"metadata": {"total_size": 520}, "weight_map": where}
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == files
    checkpoint = open_checkpoint(open_preset(tmp_path))
    assert all(same(checkpoint.read(name), array) for name, array in arrays.items())
    for file in files:
        with safe_open(tmp_path / file, framework="numpy") as shard:
            assert shard.metadata() == {"made": "here"}


@pytest.mark.parametrize(("size", "files"), [("5GB", 1), ("4KB", 2), ("4.1kb", 1), ("4KiB", 1), (4095, 2), (4096, 1)])
def test_shard_sizes(tmp_path, size, files):
    arrays = {name: np.zeros(512, np.float32) for name in "ab"}
    write_checkpoint(tmp_path, infos(arrays), arrays.__getitem__, max_shard_size=size)
    assert len(list(tmp_path.glob("*.safetensors"))) == files


@pytest.mark.parametrize("size", ["", "five", "5 bananas", 0, -1, "0GB", None])
def test_bad_shard_sizes(tmp_path, size):
    with pytest.raises(ValueError, match="max_shard_size=.* is no size"):
        write_checkpoint(tmp_path, {}, {}.get, max_shard_size=size)


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(TypeError, match="Tensor 'x' has dtype complex128"):
        write_checkpoint(tmp_path, {"x": TensorInfo((1,), np.dtype("c16"))}, None)
    for array in (np.zeros(4, np.float32), np.zeros(3, ml_dtypes.bfloat16)):
        with pytest.raises(ValueError, match="Tensor 'x' is .* was announced"):
            write_checkpoint(tmp_path, {"x": TensorInfo((3,), np.dtype("f4"))}, {"x": array}.get)


def test_one_tensor_in_memory_at_a_time(tmp_path):
    size = 2**20
    tracemalloc.start()
    write_checkpoint(
        tmp_path,
        {str(i): TensorInfo((size,), np.dtype("f4")) for i in range(12)},
        lambda name: np.full(size, int(name), np.float32),
        max_shard_size="20MB",
    )
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    checkpoint = open_checkpoint(open_preset(tmp_path))
    assert all(checkpoint.read(name)[-1] == int(name) for name in checkpoint)
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written < 2.2 * 4 * size
    assert read < 4 * size


# Folders


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def saved(tmp_path):
    """A folder with a former save, sharded, and files that are somebody else's."""
    target = tmp_path / "models" / "mine"
    arrays = {"old.a": NUMBERS, "old.b": NUMBERS}
    with atomic_folder(target) as folder:
        write_checkpoint(folder, infos(arrays), arrays.__getitem__, max_shard_size=24)
        (folder / "config.json").write_text('{"old": true}')
    (target / "notes.txt").write_text("mine")
    (target / "pytorch_model.bin").write_text("stale")
    return target


def save(target, shards=1):
    arrays = {f"new.{i}": NUMBERS * i for i in range(shards)}
    with atomic_folder(target) as folder:
        write_checkpoint(folder, infos(arrays), arrays.__getitem__, max_shard_size=24)
        (folder / "config.json").write_text('{"new": true}')
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text("{}")


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_a_save_replaces_the_former_weights_only(saved, shards):
    save(saved, shards)
    weight_files = [f"model-0000{i + 1}-of-0000{shards}.safetensors" for i in range(shards)]
    weight_files = ["model.safetensors"] if shards == 1 else [*weight_files, "model.safetensors.index.json"]
    assert set(contents(saved)) == {"config.json", "notes.txt", "1_Pooling/config.json", *weight_files}
    assert (saved / "notes.txt").read_text() == "mine"
    assert json.loads((saved / "config.json").read_text()) == {"new": True}
    assert set(open_checkpoint(open_preset(saved))) == {f"new.{i}" for i in range(shards)}
    assert {path.name for path in saved.parent.iterdir()} == {"mine"}
    assert {path.name for path in saved.iterdir() if path.is_dir()} == {"1_Pooling"}


def test_without_weights_the_former_ones_stay(saved):
    before = contents(saved)
    with atomic_folder(saved) as folder:
        (folder / "tokenizer.json").write_text("{}")
    assert contents(saved) == before | {"tokenizer.json": b"{}"}


class FullDisk:
    """A file on a disk that is full after 200 bytes."""

    def __init__(self, *arguments, **options):
        self.file = open(*arguments, **options)  # noqa: SIM115
        self.room = 200

    def write(self, data):
        self.room -= memoryview(data).nbytes
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()


@pytest.mark.parametrize("fresh", [True, False])
def test_disk_full(saved, monkeypatch, fresh):
    target = saved.parent / "fresh" if fresh else saved
    before = contents(saved.parent)
    monkeypatch.setattr(module, "open", FullDisk, raising=False)
    big = {"x": np.zeros(1000, np.float32)}
    with pytest.raises(OSError, match="No space left"), atomic_folder(target) as folder:
        write_checkpoint(folder, infos(big), big.__getitem__)
    assert contents(saved.parent) == before
    assert target.exists() is not fresh
    assert [path.name for path in saved.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("fresh", [True, False])
def test_interrupted_while_writing(saved, fresh):
    target = saved.parent / "fresh" if fresh else saved
    before = contents(saved.parent)

    def read(name):
        if name == "b":
            raise KeyboardInterrupt
        return NUMBERS

    with pytest.raises(KeyboardInterrupt), atomic_folder(target) as folder:
        write_checkpoint(folder, infos(dict.fromkeys("abc", NUMBERS)), read, max_shard_size=24)
    assert contents(saved.parent) == before
    assert target.exists() is not fresh


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken disk"), KeyboardInterrupt()], ids=["disk", "interrupt"])
def test_failure_while_moving_into_place(saved, monkeypatch, fresh, error):
    target = saved.parent / "fresh" if fresh else saved
    before = contents(saved.parent)
    rename, failures = os.replace, 0
    for moves in range(20):
        left = moves

        def replace(source, destination):
            nonlocal left, failures
            left -= 1
            if left == -1:
                failures += 1
                raise error
            rename(source, destination)

        monkeypatch.setattr(os, "replace", replace)
        try:
            save(target, shards=2)
            break
        except (OSError, KeyboardInterrupt) as raised:
            assert raised is error  # noqa: PT017
            assert contents(saved.parent) == before
            assert target.exists() is not fresh
    assert failures == (5 if fresh else 10)
    assert set(open_checkpoint(open_preset(target))) == {"new.0", "new.1"}


def test_a_file_is_no_folder(saved):
    with pytest.raises(NotADirectoryError, match="it is a file"), atomic_folder(saved / "notes.txt"):
        pytest.fail("nothing should be written")

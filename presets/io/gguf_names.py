"""What llama.cpp calls the parts of an architecture, and how it stores them: from a GGUF file to the Hub's terms."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

HEAD, ROPE_FACTORS = "output.weight", "rope_freqs.weight"

# {llama.cpp's module: the Hub's}
LLAMA_ROWS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "blk.{n}.attn_norm": "model.layers.{n}.input_layernorm",
    "blk.{n}.attn_q": "model.layers.{n}.self_attn.q_proj",
    "blk.{n}.attn_k": "model.layers.{n}.self_attn.k_proj",
    "blk.{n}.attn_v": "model.layers.{n}.self_attn.v_proj",
    "blk.{n}.attn_output": "model.layers.{n}.self_attn.o_proj",
    "blk.{n}.ffn_norm": "model.layers.{n}.post_attention_layernorm",
    "blk.{n}.ffn_gate": "model.layers.{n}.mlp.gate_proj",
    "blk.{n}.ffn_up": "model.layers.{n}.mlp.up_proj",
    "blk.{n}.ffn_down": "model.layers.{n}.mlp.down_proj",
}
EXPERT_ROWS = {  # Mixtral's; the experts of a block are one tensor
    "blk.{n}.ffn_gate_inp": "model.layers.{n}.block_sparse_moe.gate",
    "blk.{n}.ffn_gate_exps": "model.layers.{n}.block_sparse_moe.experts.{e}.w1",
    "blk.{n}.ffn_down_exps": "model.layers.{n}.block_sparse_moe.experts.{e}.w2",
    "blk.{n}.ffn_up_exps": "model.layers.{n}.block_sparse_moe.experts.{e}.w3",
}
PHI_ROWS = LLAMA_ROWS | {
    "output_norm": "model.final_layernorm",
    "blk.{n}.attn_output": "model.layers.{n}.self_attn.dense",
    "blk.{n}.ffn_up": "model.layers.{n}.mlp.fc1",
    "blk.{n}.ffn_down": "model.layers.{n}.mlp.fc2",
}
GPT2_ROWS = {
    "token_embd": "transformer.wte",
    "position_embd": "transformer.wpe",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
    "blk.{n}.attn_norm": "transformer.h.{n}.ln_1",
    "blk.{n}.attn_qkv": "transformer.h.{n}.attn.c_attn",
    "blk.{n}.attn_output": "transformer.h.{n}.attn.c_proj",
    "blk.{n}.ffn_norm": "transformer.h.{n}.ln_2",
    "blk.{n}.ffn_up": "transformer.h.{n}.mlp.c_fc",
    "blk.{n}.ffn_down": "transformer.h.{n}.mlp.c_proj",
}
GPT2_DENSE = ("attn_qkv", "attn_output", "ffn_up", "ffn_down")  # (in, out) on the Hub


class Part(NamedTuple):
    """Where a tensor of the Hub is: a tensor of the file, or one place of its first axis, and what undoes the change
    that llama.cpp made to it."""

    tensor: str
    index: int | None
    undo: Callable | None


def config_of(file):
    """The keys of the config.json that a `GGUFFile` stands for.

    Token ids that are outside the vocabulary count as none, as in llama.cpp.

    Raises:
        ValueError: an unknown architecture; metadata that are missing, or that the tensors contradict.
    """
    said = Metadata(file)
    config, shapes = _family(file).config(said)
    vocabulary = said.shape("token_embd.weight")[0]
    shapes = {"token_embd.weight": (vocabulary, said.count("embedding_length"))} | shapes
    for name, shape in shapes.items():  # else a damaged number makes a model that no memory holds
        if said.shape(name) != shape:
            raise said.wrong(f"its tensor {name} is {said.shape(name)} and not {shape}, as its metadata say")
    blocks = {name.split(".")[1] for name in file.tensors if name.startswith("blk.")}
    if len(blocks) != said.count("block_count"):
        raise said.wrong(f"it has {len(blocks)} blocks and not {said.count('block_count')}, as its metadata say")
    kinds = {stored.kind.name for stored in file.tensors.values()}
    half = next((dtype for kind, dtype in (("BF16", "bfloat16"), ("F16", "float16")) if kind in kinds), "float32")
    ends = [said.token(name, vocabulary) for name in ("eos", "eot")]  # of the text, and of a turn in a chat
    ends = list(dict.fromkeys(end for end in ends if end is not None))
    return config | {
        "vocab_size": vocabulary,
        "tie_word_embeddings": HEAD not in file.tensors,
        "torch_dtype": half if kinds <= {"F32", "F16", "BF16"} else "float32",
        "bos_token_id": said.token("bos", vocabulary),
        "eos_token_id": ends if len(ends) > 1 else next(iter(ends), None),
        "pad_token_id": said.token("padding", vocabulary),
    }


def parts_of(file):
    """{the Hub's name: Part} of every tensor of a `GGUFFile`.

    Raises:
        ValueError: an unknown architecture, or tensors that it has no layer for.
    """
    said, family = Metadata(file), _family(file)
    undo, parts, unknown = family.undo(said), {}, []
    for name, stored in file.tensors.items():
        module, _, last = name.rpartition(".")
        number = re.match(r"blk\.(\d+)\.|", module)[1]
        row = module.replace(f"blk.{number}.", "blk.{n}.", 1) if number else module
        hub = family.rows.get(row, "").replace("{n}", number or "")
        change = undo.get(f"{row.rpartition('.')[2]}.{last}")
        if "{e}" in hub:
            parts |= {f"{hub}.{last}".replace("{e}", str(e)): Part(name, e, None) for e in range(stored.shape[0])}
        elif hub and last in ("weight", "bias"):
            parts[f"{hub}.{last}"] = Part(name, None, change)
        elif name != ROPE_FACTORS:
            unknown.append(name)
    if unknown:
        more = f" and {len(unknown) - 4} more" if len(unknown) > 4 else ""
        raise ValueError(
            f"{file.path}: it has tensors that no layer of {said.architecture!r} is for: {', '.join(unknown[:4])}{more}"
        )
    return parts


class Metadata:
    """What a file says of its architecture; ValueError naming the file where that is missing or no such thing."""

    def __init__(self, file):
        self.file = file
        self.architecture = file.metadata.get("general.architecture")

    def get(self, key, default=None):
        return self.file.metadata.get(f"{self.architecture}.{key}", default)

    def count(self, key, default=None):
        """A positive whole number; where there is one for each block, they have to agree."""
        value = self.get(key, default)
        if isinstance(value, list) and len(set(value)) == 1:
            value = value[0]
        if type(value) is not int or value < 1:
            raise self.wrong(f"its metadata have {key}={value!r:.80}, where a number is needed")
        return value

    def number(self, key, default=None):
        """A positive number, as short as float32 lets it be."""
        value = self.get(key, default)
        if type(value) not in (int, float) or not 0 < value < float("inf"):
            raise self.wrong(f"its metadata have {key}={value!r:.80}, where a number is needed")
        return float(str(np.float32(value)))

    def token(self, name, vocabulary):
        """A special token's id, or None."""
        index = self.file.metadata.get(f"tokenizer.ggml.{name}_token_id")
        return index if type(index) is int and 0 <= index < vocabulary else None

    def shape(self, name):
        if name not in self.file.tensors:
            raise self.wrong(f"it has no tensor {name}")
        return self.file.tensors[name].shape

    def wrong(self, what):
        return ValueError(f"{self.file.path}: {what}; download or convert the model again.")


def _llama(said):
    """Config and shapes of Llama, and of Mistral and Mixtral, which are the same architecture to llama.cpp."""
    config, shapes = _rotary_decoder(said)
    name = str(said.file.metadata.get("general.name", "")).lower()
    config |= {
        "model_type": "mistral" if "mistral" in name else "llama",
        "attention_bias": "blk.0.attn_output.bias" in said.file.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in said.file.tensors,
    }
    if said.get("expert_count"):
        experts, width, wide = said.count("expert_count"), config["hidden_size"], config["intermediate_size"]
        config |= {
            "model_type": "mixtral",
            "num_local_experts": experts,
            "num_experts_per_tok": said.count("expert_used_count"),
        }
        shapes["blk.0.ffn_up_exps.weight"] = (experts, wide, width)
        del shapes["blk.0.ffn_up.weight"]
    if config["model_type"] != "llama":
        window = said.get("attention.sliding_window")
        config["sliding_window"] = window and said.count("attention.sliding_window")
    return config | {"architectures": [f"{config['model_type'].capitalize()}ForCausalLM"]}, shapes


def _qwen2(said):
    config, shapes = _rotary_decoder(said)
    return config | {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}, shapes


def _gemma(said):
    config, shapes = _rotary_decoder(said)
    named = {"model_type": "gemma", "architectures": ["GemmaForCausalLM"]}
    return config | named | {"hidden_activation": "gelu_pytorch_tanh"}, shapes


def _rotary_decoder(said):
    """What Llama and its like say: their configuration, and the shapes of tensors that go with it."""
    width, heads, wide = (said.count(k) for k in ("embedding_length", "attention.head_count", "feed_forward_length"))
    kv_heads, base = said.count("attention.head_count_kv", heads), said.number("rope.freq_base", 10000.0)
    channels = said.count("attention.key_length", said.get("rope.dimension_count", width // heads))
    rotated = said.count("rope.dimension_count", channels)
    if rotated != channels:
        raise said.wrong(f"it rotates {rotated} of the {channels} channels of a head, and {said.architecture} all")
    config = {
        "hidden_size": width,
        "intermediate_size": wide,
        "num_hidden_layers": said.count("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": channels,
        "max_position_embeddings": said.count("context_length"),
        "rms_norm_eps": said.number("attention.layer_norm_rms_epsilon"),
        "rope_theta": base,
        "rope_scaling": _rope_scaling(said, base, channels),
    }
    return config, {
        "blk.0.attn_q.weight": (heads * channels, width),
        "blk.0.attn_k.weight": (kv_heads * channels, width),
        "blk.0.ffn_up.weight": (wide, width),
    }


def _phi(said):
    width, heads, wide = (said.count(k) for k in ("embedding_length", "attention.head_count", "feed_forward_length"))
    kv_heads, base = said.count("attention.head_count_kv", heads), said.number("rope.freq_base", 10000.0)
    rotated = said.count("rope.dimension_count", width // heads)
    config = {
        "model_type": "phi",
        "architectures": ["PhiForCausalLM"],
        "hidden_size": width,
        "intermediate_size": wide,
        "num_hidden_layers": said.count("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": said.count("context_length"),
        "layer_norm_eps": said.number("attention.layer_norm_epsilon"),
        "rope_theta": base,
        "rope_scaling": _rope_scaling(said, base, rotated),
        "partial_rotary_factor": rotated / (width // heads),
    }
    return config, {
        "blk.0.attn_q.weight": (width, width),
        "blk.0.attn_k.weight": (kv_heads * (width // heads), width),
        "blk.0.ffn_up.weight": (wide, width),
    }


def _gpt2(said):
    width, wide, positions = (said.count(k) for k in ("embedding_length", "feed_forward_length", "context_length"))
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "n_embd": width,
        "n_inner": wide,
        "n_layer": said.count("block_count"),
        "n_head": said.count("attention.head_count"),
        "n_positions": positions,
        "layer_norm_epsilon": said.number("attention.layer_norm_epsilon"),
    }
    return config, {"position_embd.weight": (positions, width), "blk.0.ffn_up.weight": (wide, width)}


def _rope_scaling(said, base, rotated):
    """How positions were stretched, as the `rope_scaling` of a config.json; None if they were not."""
    if ROPE_FACTORS in said.file.tensors:
        return _llama3(said, base, rotated)
    kind, older = said.get("rope.scaling.type", "none"), said.number("rope.scale_linear", 1.0)
    if kind == "none":
        return None if older == 1 else {"rope_type": "linear", "factor": older}
    if kind not in ("linear", "yarn"):
        raise said.wrong(f"its positions are scaled in a way that is not known ({kind!r:.80})")
    scaling = {"rope_type": kind, "factor": said.number("rope.scaling.factor")}
    if kind == "yarn":
        scaling["original_max_position_embeddings"] = said.count("rope.scaling.original_context_length")
        for name in ("beta_fast", "beta_slow"):
            if said.get(f"rope.scaling.yarn_{name}") is not None:
                scaling[name] = said.number(f"rope.scaling.yarn_{name}")
        if said.get("rope.scaling.attn_factor") is not None:  # which YaRN's own growth is multiplied by
            own = 0.1 * float(np.log(scaling["factor"])) + 1
            scaling["attention_factor"] = said.number("rope.scaling.attn_factor") * own
    return scaling


def _llama3(said, base, rotated):
    """Llama 3's scaling, of which the file has the outcome only: what each frequency is divided by."""
    factors = said.file.read(ROPE_FACTORS).astype("float64")
    unknown = said.wrong(f"its {ROPE_FACTORS} is not Llama 3's, the only one that is known")
    if factors.shape != (rotated // 2,) or not (np.isfinite(factors) & (factors >= 1)).all():
        raise unknown
    low, high, most = 1.0, 4.0, factors.max()
    if most == 1:
        return None
    waves = 2 * np.pi * base ** (np.arange(len(factors)) / len(factors))  # their lengths, in tokens
    between = (factors > 1) & (factors < most)
    kept = (1 / factors[between] - 1 / most) / (1 - 1 / most)
    trained = round(np.median((low + kept * (high - low)) * waves[between])) if between.any() else 8192
    kept = np.clip((trained / waves - low) / (high - low), 0, 1)
    if not np.allclose(1 / (kept + (1 - kept) / most), factors, rtol=1e-3):
        raise unknown
    return {
        "rope_type": "llama3",
        "factor": float(str(np.float32(most))),
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": trained,
    }


def _paired(rows, heads):
    """Rows whose pairs (i, i + C / 2) stood side by side, head by head: back in the order of the Hub."""
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def _paired_queries_and_keys(said):
    heads = said.count("attention.head_count")
    counts = {"attn_q": heads, "attn_k": said.count("attention.head_count_kv", heads)}
    return {f"{m}.{last}": partial(_paired, heads=n) for m, n in counts.items() for last in ("weight", "bias")}


def _less_one(scale):
    return scale - 1


@dataclass(frozen=True)
class Family:
    """An architecture of llama.cpp's.

    Args:
        config: Metadata -> the keys of a config.json, and {tensor: the shape that goes with them}.
        rows: {llama.cpp's module: the Hub's}; `{n}` is the number of a block, `{e}` that of an expert.
        undo: Metadata -> {the end of a tensor's name: what undoes llama.cpp's change to its values}.
    """

    config: Callable
    rows: dict
    undo: Callable = lambda said: {}


FAMILIES = {
    "llama": Family(_llama, LLAMA_ROWS | EXPERT_ROWS, _paired_queries_and_keys),
    "qwen2": Family(_qwen2, LLAMA_ROWS),
    "gemma": Family(
        _gemma,
        LLAMA_ROWS,
        lambda said: dict.fromkeys([f"{n}_norm.weight" for n in ("attn", "ffn", "output")], _less_one),
    ),
    "phi2": Family(_phi, PHI_ROWS),
    "gpt2": Family(_gpt2, GPT2_ROWS, lambda said: dict.fromkeys([f"{n}.weight" for n in GPT2_DENSE], np.transpose)),
}


def _family(file):
    name = file.metadata.get("general.architecture")
    if name not in FAMILIES:
        raise ValueError(
            f"{file.path}: it is of the architecture {name!r:.80}, and {', '.join(FAMILIES)} can be read: use the "
            "original checkpoint of the model."
        )
    return FAMILIES[name]

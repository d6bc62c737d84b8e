"""Small GGUF files of seeded weights, as llama.cpp's converter writes them. Needs NumPy and the gguf package only.

The names of keys and tensors are those that the gguf package has for them.
"""

import zlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf.quants import dequantize, quantize
from seeded import weights

VOCABULARY = ["w", "0", *(f"w{i}" for i in range(94))]
LLAMA = {
    "model_type": "llama",
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "rope_theta": 5000.0,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WIDE = LLAMA | {"hidden_size": 256, "intermediate_size": 256, "head_dim": 32, "num_attention_heads": 8}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
MIX = {"attn_q": "Q4_K", "attn_k": "Q5_K", "attn_v": "Q6_K", "ffn_gate": "Q4_0", "ffn_up": "Q2_K", "ffn_down": "Q3_K"}

# Configuration of the Hub; which kinds of tensors, by the module's name at llama.cpp or None for the other matrices.
# `loads`: whether the reference reads the file itself, and as the model that it is.
CASES = {
    "llama_q8_0": {"config": LLAMA, "kinds": {None: "Q8_0", "token_embd": "F16"}, "loads": True},
    "llama_mix_tied": {
        "config": WIDE | {"tie_word_embeddings": True, "pad_token_id": 0},
        "kinds": MIX | {None: "Q6_K"},
        "loads": True,
    },
    "llama_old_kinds": {"config": LLAMA, "kinds": {None: "Q5_0", "attn_q": "Q4_1", "attn_k": "Q5_1", "output": "F16"}},
    "llama_biases": {"config": LLAMA | {"attention_bias": True, "mlp_bias": True}, "kinds": {None: "BF16"}},
    "llama_llama3": {"config": WIDE | {"rope_theta": 500.0, "rope_scaling": LLAMA3}, "kinds": {None: "F32"}},
    "llama_linear": {
        "config": LLAMA | {"rope_scaling": {"rope_type": "linear", "factor": 2.5}},
        "kinds": {None: "F16"},
    },
    "llama_yarn": {"config": LLAMA | {"rope_scaling": YARN}, "kinds": {None: "F16"}},
    "mistral": {"config": LLAMA | {"model_type": "mistral", "sliding_window": None}, "kinds": {None: "Q8_0"}},
    "mixtral": {
        "config": LLAMA | {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2},
        "kinds": {None: "Q8_0", "ffn_gate_inp": "F32"},
    },
    "qwen2": {
        "config": {k: LLAMA[k] for k in LLAMA if k != "head_dim"} | {"model_type": "qwen2"},
        "kinds": {None: "Q8_0"},
        "loads": True,
    },
    "gemma": {
        "config": LLAMA
        | {
            "model_type": "gemma",
            "head_dim": 32,
            "tie_word_embeddings": True,
            "hidden_activation": "gelu_pytorch_tanh",
        },
        "kinds": {None: "F16"},
    },
    "phi": {
        "config": {
            "model_type": "phi",
            "vocab_size": 96,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "partial_rotary_factor": 0.5,
            "max_position_embeddings": 256,
            "layer_norm_eps": 1e-5,
            "rope_theta": 5000.0,
            "tie_word_embeddings": False,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        "kinds": {None: "Q8_0"},
    },
    "gpt2": {
        "config": {
            "model_type": "gpt2",
            "vocab_size": 96,
            "n_embd": 64,
            "n_inner": 96,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 64,
            "layer_norm_epsilon": 1e-5,
            "tie_word_embeddings": True,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        "kinds": {None: "Q8_0"},
    },
}
ARCHITECTURES = {"mistral": "llama", "mixtral": "llama", "phi": "phi2"}  # where llama.cpp's name is another
CONV1D = ("attn_qkv", "attn_output", "ffn_up", "ffn_down")  # which GPT-2 has as (in, out) on the Hub


class Model:
    """A case's tensors on the Hub, {name: shape}, and in a file."""

    def __init__(self, name, shapes):
        self.config, self.kinds = CASES[name]["config"], CASES[name]["kinds"]
        self.architecture = ARCHITECTURES.get(self.config["model_type"], self.config["model_type"])
        number = {text: key for key, text in gguf.MODEL_ARCH_NAMES.items()}[self.architecture]
        blocks = self.config.get("num_hidden_layers", self.config.get("n_layer"))
        self._names = gguf.get_tensor_name_map(number, blocks)
        self.rows = {hub: self._rows(hub, tuple(shape)) for hub, shape in shapes.items()}

    def state(self):
        """{the Hub's name: float32}: what the file's tensors mean."""
        state = {hub: dequantize(rows, kind).astype("float32") for hub, (rows, kind) in self.rows.items()}
        return {hub: array.T if self._flipped(hub, array) else array for hub, array in state.items()}

    def write(self, path, tokenizer=None):
        """Writes the file; `tokenizer`, a function of the writer, adds the tokenizer's keys."""
        writer = gguf.GGUFWriter(path, self.architecture)
        self._write_metadata(writer)
        (tokenizer or write_tokens)(writer)
        for name, (rows, kind) in self._stored().items():
            writer.add_tensor(name, rows, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def module(self, hub):
        """llama.cpp's name of a tensor of the Hub, without the last part, and the number of the expert."""
        module, _, last = hub.rpartition(".")
        if ".experts." in module:
            before, _, rest = module.partition(".block_sparse_moe.experts.")
            number, _, weight = rest.partition(".")
            return self._names.get_name(f"{before.removeprefix('model.')}.feed_forward.experts.{weight}"), int(number)
        return self._names.get_name(module), None

    def _flipped(self, hub, array):
        return self.architecture == "gpt2" and array.ndim == 2 and self.module(hub)[0].endswith(CONV1D)

    def _rows(self, hub, shape):
        """The rows of a tensor as the file packs them, before llama.cpp's converter changes their order."""
        values = weights(hub, shape)
        if self._flipped(hub, values):
            values = np.ascontiguousarray(values.T)
        if values.ndim == 1:
            return values, Kind.F32
        kind = self.kinds.get(self.module(hub)[0].split(".")[-1], self.kinds[None])
        return packed_rows(hub, values, kind), Kind[kind]

    def _stored(self):
        """{llama.cpp's name: (rows, kind)}."""
        stored, experts = {}, {}
        heads = self.config.get("num_attention_heads"), self.config.get("num_key_value_heads")
        for hub, (rows, kind) in self.rows.items():
            module, expert = self.module(hub)
            name = f"{module}.{hub.rpartition('.')[2]}"
            if self.architecture == "llama" and ("attn_q." in name or "attn_k." in name):
                count = heads["attn_k." in name]
                rows = (
                    rows.reshape(count, 2, len(rows) // count // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
                )
            if self.architecture == "gemma" and name.endswith("norm.weight"):
                rows = rows + 1
            if expert is None:
                stored[name] = rows, kind
            else:
                experts.setdefault((name, kind), {})[expert] = rows
        stored |= {name: (np.stack([rows[e] for e in sorted(rows)]), kind) for (name, kind), rows in experts.items()}
        scaling = self.config.get("rope_scaling") or {}
        if scaling.get("rope_type") == "llama3":
            stored["rope_freqs.weight"] = self._llama3_factors(scaling), Kind.F32
        return stored

    def _llama3_factors(self, scaling):
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        trained, factor, factors = scaling["original_max_position_embeddings"], scaling["factor"], []
        for i in range(0, self.config["head_dim"], 2):
            wave = 2 * np.pi * self.config["rope_theta"] ** (i / self.config["head_dim"])
            smooth = (trained / wave - low) / (high - low)
            if wave < trained / high:
                factors.append(1)
            elif wave > trained / low:
                factors.append(factor)
            else:
                factors.append(1 / ((1 - smooth) / factor + smooth))
        return np.array(factors, "float32")

    def _write_metadata(self, writer):
        c = self.config
        writer.add_name("Tiny Mistral" if c["model_type"] == "mistral" else "Tiny")
        writer.add_vocab_size(c["vocab_size"])
        if "pad_token_id" in c:
            writer.add_pad_token_id(c["pad_token_id"])
        if c["model_type"] == "gpt2":
            writer.add_block_count(c["n_layer"])
            writer.add_context_length(c["n_positions"])
            writer.add_embedding_length(c["n_embd"])
            writer.add_feed_forward_length(c["n_inner"])
            writer.add_head_count(c["n_head"])
            writer.add_layer_norm_eps(c["layer_norm_epsilon"])
            return
        writer.add_block_count(c["num_hidden_layers"])
        writer.add_context_length(c["max_position_embeddings"])
        writer.add_embedding_length(c["hidden_size"])
        writer.add_feed_forward_length(c["intermediate_size"])
        writer.add_head_count(c["num_attention_heads"])
        writer.add_head_count_kv(c["num_key_value_heads"])
        writer.add_rope_freq_base(c["rope_theta"])
        channels = c.get("head_dim", c["hidden_size"] // c["num_attention_heads"])
        if c["model_type"] == "phi":
            writer.add_layer_norm_eps(c["layer_norm_eps"])
            writer.add_rope_dimension_count(int(channels * c["partial_rotary_factor"]))
            return
        writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
        if self.architecture == "llama":
            writer.add_rope_dimension_count(channels)
        if self.architecture == "gemma":
            writer.add_key_length(channels)
            writer.add_value_length(channels)
        if "num_local_experts" in c:
            writer.add_expert_count(c["num_local_experts"])
            writer.add_expert_used_count(c["num_experts_per_tok"])
        scaling = c.get("rope_scaling") or {}
        if scaling.get("rope_type") in ("linear", "yarn"):
            writer.add_rope_scaling_type(gguf.RopeScalingType(scaling["rope_type"]))
            writer.add_rope_scaling_factor(scaling["factor"])
            if "original_max_position_embeddings" in scaling:
                writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])


def write_tokens(writer):
    """A tokenizer of one merge, so that files are whole."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(VOCABULARY)
    writer.add_token_merges(["w 0"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


# Where the blocks of the kinds that the gguf package cannot make have their scales, as float16.
SCALES = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}
SCALES |= dict.fromkeys(("IQ4_NL", "IQ4_XS", "IQ3_S", "IQ3_XXS", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_S"), (0,))


def packed_rows(name, values, kind):
    """`values` quantised or, where nothing can do that, seeded random blocks of such a size."""
    if kind not in SCALES:
        return quantize(values, Kind[kind])
    block, size = gguf.GGML_QUANT_SIZES[Kind[kind]]
    rows, blocks = values.shape[0], values.shape[1] // block
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    data = rng.randint(0, 256, (rows, blocks, size)).astype("uint8")
    for place in SCALES[kind]:
        data[:, :, place : place + 2] = np.full((rows, blocks, 1), 1e-4, "<f2").view("uint8")
    spread = dequantize(data.reshape(rows, -1), Kind[kind]).std() * np.sqrt(values.shape[1])
    for place in SCALES[kind]:
        data[:, :, place : place + 2] = np.full((rows, blocks, 1), 1e-4 / spread, "<f2").view("uint8")
    return data.reshape(rows, -1)

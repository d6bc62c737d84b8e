"""Writes tests/fixtures/checkpoints: two files by torch.save and what they hold, and a tiny BERT in both formats.

Run with the reference's Python.
"""

import json
from pathlib import Path

import torch
from make import packed, seed
from transformers import BertConfig, BertForMaskedLM

FOLDER = Path(__file__).parent.parent / "fixtures" / "checkpoints"
DTYPES = [torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2]
DTYPES += [torch.int8, torch.int16, torch.int32, torch.uint8, torch.uint16]


def tensors():
    torch.manual_seed(0)
    weights = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).state_dict()  # with its _metadata
    grid = torch.randn(4, 6)
    weights |= {
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
        "transposed": torch.randn(2, 3, 4).permute(2, 0, 1),
        "shared.whole": grid,
        "shared.rows": grid[1:3],
        "shared.columns": grid[:, 1::2],
        "expanded": torch.tensor([[1.5], [2.5]]).expand(2, 3),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 5),
        "boolean": torch.tensor([[True, False], [False, True]]),
        "complex": torch.randn(2, dtype=torch.complex64),
    }
    for dtype in DTYPES:
        weights[f"dtype.{dtype}"] = torch.tensor([0, 1, 3, 96]).to(dtype)
    return weights


def described(tensor):
    values = torch.view_as_real(tensor) if tensor.is_complex() else tensor.double()
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "values": values.flatten().tolist(),  # complex numbers as pairs
    }


def write_bert():
    """A whole checkpoint as old ones on the Hub are: every tensor of the state dict, tied copies, too."""
    sizes = {"vocab_size": 8, "hidden_size": 4, "intermediate_size": 4, "max_position_embeddings": 8}
    config = BertConfig(**sizes, num_hidden_layers=1, num_attention_heads=2)
    model = BertForMaskedLM(config).eval()
    seed(model)
    folder = FOLDER / "bert"
    config.architectures = ["BertForMaskedLM"]
    config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "zip.bin")
    torch.save(model.state_dict(), folder / "legacy.bin", _use_new_zipfile_serialization=False)
    with torch.no_grad():
        logits = model(torch.tensor([[2, 5, 3, 1]])).logits
    (folder / "expected.json").write_text(json.dumps(packed(logits)) + "\n")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_bert()
    weights = tensors()
    extras = {"epoch": 3, "best": 0.5, "history": [1, [2, None]], "size": torch.Size([1]), 7: "seven"}
    extras["dtype"] = torch.half
    training = {"state_dict": weights, "optimizer": {"state": {0: torch.ones(1)}}} | extras
    torch.save(training, FOLDER / "legacy.bin", _use_new_zipfile_serialization=False)
    flat = tensors()
    flat.update(extras)
    torch.save(flat, FOLDER / "zip.bin")
    expected = {name: described(tensor) for name, tensor in weights.items()}
    lines = [f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in expected.items()]
    (FOLDER / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")

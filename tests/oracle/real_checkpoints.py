"""Writes tests/fixtures/real_checkpoints: what the reference predicts with checkpoints that people use.

pip install transformers==4.39.3 torch "numpy<2"        (in a virtual environment of its own)
pip install --no-deps rxnmapper==0.4.3
python tests/oracle/real_checkpoints.py
"""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import torch
from make import packed
from transformers import AlbertForMaskedLM, AlbertModel

FIXTURES = Path(__file__).parents[1] / "fixtures" / "real_checkpoints"

# Reactions in the SMILES notation: an ester, an amide, a Suzuki coupling, a protecting group.
REACTIONS = [
    "CC(=O)O.OCC>>CC(=O)OCC",
    "Nc1ccccc1.O=C(Cl)c1ccccc1.CCN(CC)CC>>O=C(Nc1ccccc1)c1ccccc1",
    "Brc1ccc(C#N)cc1.OB(O)c1ccncc1.[Na+].[Na+].[O-]C([O-])=O>>N#Cc1ccc(-c2ccncc2)cc1",
    "CC(C)(C)OC(=O)N[C@@H](C)C(=O)O.Cl>>N[C@@H](C)C(=O)O",
]
EVERY = 11  # so many tokens from one mask to the next


def rxnmapper():
    """An ALBERT in PyTorch's oldest format: scores of the masked tokens, and the attention that the package uses."""
    folder = Path(importlib.util.find_spec("rxnmapper").origin).parent / "models/transformers"
    folder = folder / "albert_heads_8_uspto_all_1310k"
    vocab = {token: i for i, token in enumerate((folder / "vocab.txt").read_text().splitlines())}
    longest_first = sorted(filter(None, vocab), key=len, reverse=True)
    pieces = re.compile("|".join(map(re.escape, longest_first)))
    texts = [["[CLS]", *pieces.findall(reaction), "[SEP]"] for reaction in REACTIONS]
    assert ["".join(text[1:-1]) for text in texts] == REACTIONS

    ids = np.full((len(texts), max(map(len, texts))), vocab["[PAD]"])
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = [vocab[token] for token in text]
    attention_mask = (ids != vocab["[PAD]"]).astype("int64")
    masked = (np.arange(ids.shape[1]) % EVERY == EVERY - 1) & (attention_mask == 1) & (ids != vocab["[SEP]"])

    model = AlbertForMaskedLM.from_pretrained(folder).eval()
    inputs = {"input_ids": np.where(masked, vocab["[MASK]"], ids), "attention_mask": attention_mask}
    text = torch.from_numpy(ids[:1, : len(texts[0])])
    with torch.no_grad():
        logits = model(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits
        backbone = AlbertModel.from_pretrained(folder).eval()(text, output_attentions=True)
    right = (logits.numpy().argmax(-1) == ids)[masked]
    print(f"{right.mean():.0%} of {len(right)} masked tokens found again")
    return {
        "inputs": {name: packed(array) for name, array in inputs.items()},
        "masked": packed(masked),
        "logits": packed(logits[torch.from_numpy(masked)]),
        "text": packed(text),
        "pooler_output": packed(backbone.pooler_output),
        "attention": packed(backbone.attentions[10][0, 5]),
    }


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "rxnmapper.json").write_text(json.dumps(rxnmapper()) + "\n")

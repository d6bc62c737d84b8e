"""The fixture tests/fixtures/generation/states.json: hidden states and attentions that the reference's `generate`
returns. Run it with transformers==4.39.3 (see make.py); the models are those of fixtures/generation/models."""

import json
from pathlib import Path

import torch
import transformers
from make import packed, seed

FOLDER = Path(__file__).parents[1] / "fixtures" / "generation"
CASES = {"gpt2": ("greedy_left", 3), "t5_gated": ("greedy", 3)}

if __name__ == "__main__":
    recorded = {}
    for file in sorted((FOLDER / "models").glob("*.json")):
        for begins, (call, count) in CASES.items():
            if not file.stem.startswith(begins):
                continue
            fixture = json.loads(file.read_text())
            cls = getattr(transformers, fixture["class"])
            model = cls(cls.config_class(**fixture["config"])).eval()
            seed(model)
            given = {k: torch.tensor(v) for k, v in fixture["calls"][call]["inputs"].items()}
            model.generation_config.eos_token_id = None
            options = {"max_new_tokens": count, "pad_token_id": 0, "return_dict_in_generate": True}
            outputs = model.generate(**given, **options, output_hidden_states=True, output_attentions=True)
            inputs = {k: v.tolist() for k, v in given.items()}
            states = {k: packed(v) for k, v in outputs.items() if k.endswith(("hidden_states", "attentions"))}
            recorded[file.stem] = {"inputs": inputs, "new": count, "states": states}
    (FOLDER / "states.json").write_text(json.dumps(recorded) + "\n")

"""Writes tests/fixtures/generation/stop_strings.json: where the reference's `generate` ends texts for certain strings.

    python tests/oracle/stop_strings.py         (where transformers==5.23 is)

The words of the vocabulary are one or two letters, so that strings end within one or reach over several.
"""

import json
import string
from pathlib import Path

import torch
import transformers
from make import seed
from recipe import text
from tokenizers import Tokenizer, decoders, models

FIXTURES = Path(__file__).parents[1] / "fixtures"
PAIRS = [(c, v) for c in "bdfgklmnprst" for v in "aeiou"][:34]
WORDS = ["<pad>", *string.ascii_lowercase, *map("".join, PAIRS)]  # 61
# The texts go on: bu|fo ge go o ba o .. and ka|j mo.
STRINGS = [["ge"], ["fog"], ["eg"], ["bufo"], ["foge"], ["j", "ba"], ["zzz", "oba"], ["oo"], ["ooo"], ["zz"]]


def main():
    fixture = json.loads((FIXTURES / "models" / "gpt2" / "base.json").read_text())
    config = transformers.GPT2Config(**fixture["config"] | {"max_position_embeddings": 64})
    model = transformers.GPT2LMHeadModel(config).eval()
    tensors, _ = seed(model)
    backend = Tokenizer(models.BPE({word: i for i, word in enumerate(WORDS)}, PAIRS))
    backend.decoder = decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>")
    ids = torch.from_numpy(text(2, 5, vocabulary=61)["input_ids"])
    options = {"max_new_tokens": 12, "pad_token_id": 0, "do_sample": False, "repetition_penalty": 1.6}

    def go_on(ids, **more):
        return model.generate(input_ids=ids, **options, **more)

    later = go_on(ids)[:1, :14]  # ends with oo, and goes on with o
    calls = []
    for strings, prompts in [*((strings, ids) for strings in STRINGS), (["oo"], later)]:
        sequences = go_on(prompts, stop_strings=strings, tokenizer=tokenizer).tolist()
        calls.append({"stop_strings": strings, "input_ids": prompts.tolist(), "sequences": sequences})
        print(strings, [len(row) for row in sequences])
    stored = {"config": model.config.to_diff_dict(), "tensors": tensors, "tokenizer": json.loads(backend.to_str())}
    stored |= {"options": options, "calls": calls}
    (FIXTURES / "generation" / "stop_strings.json").write_text(json.dumps(stored) + "\n")


if __name__ == "__main__":
    main()

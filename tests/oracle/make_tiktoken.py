"""Makes tests/fixtures/tokenizers/tiktoken.json: what the package tiktoken makes of awkward texts.

pip install tiktoken and what make_tokenizer_families.py needs      (in a virtual environment of its own)
python tests/oracle/make_tiktoken.py
"""

import base64
import json
import tempfile
import unicodedata
from pathlib import Path

import tiktoken
from tokenizer_recipe import DECOMPOSED, TEXTS, train_byte_level_bpe
from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tokenizers" / "tiktoken.json"
CL100K = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
CL100K += r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
LLAMA3 += r"|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace("{1,3}", "")
BEGIN = ["<|begin_of_text|>", "<|end_of_text|>"]
LLAMA3_SPECIAL = [*BEGIN, *(f"<|reserved_special_token_{i}|>" for i in range(4)), "<|start_header_id|>"]
LLAMA3_SPECIAL += ["<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>"]
LLAMA3_SPECIAL += [f"<|reserved_special_token_{i}|>" for i in range(5, 256 - 5)]
QWEN_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{i}|>" for i in range(205))]
MORE = {
    **DECOMPOSED,
    "lines": "a\r\n\n  b\n   \nIT'S 1234567\t\tc  ",
    "special": "<|endoftext|>the<|im_start|>user\nhi<|im_end|><|eot_id|> <|extra_204|><|begin_of_text|>x<|fim_prefix|>",
    "runs": "aaaaaaaaaaaaaa heheheheheheh ananananan thethethe",
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        train_byte_level_bpe(Path(folder), [])
        vocab = json.loads((Path(folder) / "vocab.json").read_text("utf-8"))
    byte = {character: byte for byte, character in bytes_to_unicode().items()}
    ranks = {bytes(byte[character] for character in token): rank for token, rank in vocab.items()}
    size = len(ranks)
    special = {
        "gpt4": {"<|endoftext|>": size + 1, "<|fim_prefix|>": size + 2, "<|endofprompt|>": size + 20},
        "llama3": {token: size + index for index, token in enumerate(LLAMA3_SPECIAL)},
        "qwen": {token: size + index for index, token in enumerate(QWEN_SPECIAL)},
    }
    patterns = {"gpt4": CL100K, "llama3": LLAMA3, "qwen": QWEN}
    texts = {name: text for name, text in {**TEXTS, **MORE}.items() if name != "half_a_character"}
    cases = {}
    for name, pattern in patterns.items():
        encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special[name])
        ids = {}
        for key, text in texts.items():
            text = unicodedata.normalize("NFC", text) if name == "qwen" else text  # as its own tokenizer does
            ids[key] = encoding.encode(text, allowed_special="all")
            assert encoding.decode(ids[key]) == text
        cases[name] = {"ids": ids, "special": special[name]}
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()]
    fixture = {"ranks": "".join(lines), "texts": texts, "cases": cases}
    FIXTURE.write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()

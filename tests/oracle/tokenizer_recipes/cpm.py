"""CPM: SentencePiece of words that jieba cuts (fast class) or of the text as it is (slow class). It needs jieba, too.

The fast class cannot be built from the vocabulary file, and takes no pairs.
"""

import tempfile
from pathlib import Path

from tokenizer_recipe import CALLS, Case, Variant, train_sentencepiece
from transformers import CpmTokenizer
from transformers.convert_slow_tokenizer import XLNetConverter

SPECIAL = {"control_symbols": ["<cls>", "<sep>", "<pad>", "<mask>", "<eop>", "<eod>"]}
SPECIAL["user_defined_symbols"] = [*'()"-.', "\u2582", "\u2583"]
CHINESE = "\u6e05\u534e\u5927\u5b66\u5728\u5317\u4eac\u3002\u6211\u7231\u81ea\u7136\u8bed\u8a00\u5904\u7406"
TEXTS = {"chinese": CHINESE, "chinese_lines": f"{CHINESE[:5]} and\n{CHINESE[5:]}  3,000\n"}
ACCENTS = ["thai_hindi"]  # the library strips vowel signs too, the slow class none that combine with class 0


def write_model(folder):
    train_sentencepiece(folder / "spiece.model", **SPECIAL)


def write_json(folder):
    with tempfile.TemporaryDirectory() as slow:
        write_model(Path(slow))
        XLNetConverter(CpmTokenizer.from_pretrained(slow)).converted().save(str(folder / "tokenizer.json"))


CASES = {
    "cpm": Case(
        None,
        "CpmTokenizerFast",
        write_json,
        (),
        {"default": Variant(words=False)},
        texts=TEXTS,
        calls=[call for call in CALLS if "text_pair" not in call],
    ),
    "cpm_model": Case(
        "CpmTokenizer",
        None,
        write_model,
        (),
        {"default": Variant({"cut_words": False}, differs=ACCENTS)},
        texts=TEXTS,
        calls=[call for call in CALLS if call.get("truncation") is not True and "add_special_tokens" not in call],
    ),
}

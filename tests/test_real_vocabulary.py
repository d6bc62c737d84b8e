"""GPT-2's real vocabulary, as `make test` fetches it, against the reference's ids (tests/oracle/real_vocabulary.py)."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from keras_tfm.tokenizers import GPT2Tokenizer

FETCHED = Path(sys.prefix) / "gpt2"
RECORDED = json.loads((Path(__file__).parent / "fixtures" / "tokenizers" / "gpt2_real.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    """From OpenAI's files by the Hub's names for them."""
    folder = tmp_path_factory.mktemp("gpt2")
    for theirs, name in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
        shutil.copy(FETCHED / theirs, folder / name)
    return GPT2Tokenizer.from_preset(folder)


def test_ids_and_texts(gpt2, tmp_path):
    gpt2.save_preset(tmp_path)
    for tokenizer in (gpt2, GPT2Tokenizer.from_preset(tmp_path)):
        assert (tokenizer.vocab_size, tokenizer.eos_token_id) == (50257, 50256)
        for text, ids in RECORDED:
            assert tokenizer.encode(text) == ids
            assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text

"""ESM's tokenizer: a token a residue."""

import re

from keras_tfm.tokenizers.files import read_text
from keras_tfm.tokenizers.frames import frame
from keras_tfm.tokenizers.slow import SlowTokenizer, slow_backend


class EsmTokenizer(SlowTokenizer):
    """Residues of a protein, with `<cls> A <eos>` and `<cls> A <eos> B <eos>`.

    `eos_token=None` leaves the end open: `<cls> A`.
    """

    vocab_files = ("vocab.txt",)
    defaults = {
        "unk_token": "<unk>",
        "cls_token": "<cls>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "eos_token": "<eos>",
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        vocab = {line.strip(): index for index, line in enumerate(read_text(files["vocab.txt"]).splitlines())}
        return slow_backend(vocab, Residues(vocab), frame_of_residues, config)


def frame_of_residues(backend, config):
    end = config["eos_token"]
    single = f"{config['cls_token']} $A {end}" if end else f"{config['cls_token']} $A"
    return frame(backend, single, f"{single} $B {end}" if end else f"{single} $B")


class Residues:
    """Text -> the longest tokens of the vocabulary, and between them whatever spaces separate."""

    def __init__(self, vocab):
        longest_first = sorted(filter(None, vocab), key=len, reverse=True)
        self.known = re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    def __call__(self, text):
        return [token for part in self.known.split(text) for token in part.split()]

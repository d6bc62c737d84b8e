"""ByT5's tokenizer: the bytes of a text, behind the special tokens."""

import re

from tokenizers import AddedToken

from keras_tfm.tokenizers.frames import end_frame
from keras_tfm.tokenizers.slow import SlowTokenizer, slow_backend
from keras_tfm.tokenizers.t5 import Sentinels


class ByT5Tokenizer(Sentinels, SlowTokenizer):
    """Bytes with `A </s>` and `A </s> B </s>`; a text that ends in `</s>` gets no second one. It needs no files:
    `ByT5Tokenizer()` is one.

    Options besides those of `Tokenizer`: `extra_ids` (default 125), the number of sentinels, `<extra_id_0>` and so on.
    """

    defaults = {
        "eos_token": AddedToken("</s>", lstrip=True, rstrip=True),
        "unk_token": AddedToken("<unk>", lstrip=True, rstrip=True),
        "pad_token": AddedToken("<pad>", lstrip=True, rstrip=True),
        "extra_ids": 125,
    }
    model_input_names = ("input_ids", "attention_mask")
    vocab_size = 256  # that of the bytes: the tokens before them count as added

    def __init__(self, backend=None, /, **config):
        super().__init__(backend or self.built({}, config), **config)

    @classmethod
    def build(cls, files, config):
        special = [config["pad_token"], config["eos_token"], config["unk_token"]]
        vocab = {token: index for index, token in enumerate([*special, *map(chr, range(256))])}
        return slow_backend(vocab, spelled_bytes, end_frame, config)

    def join(self, tokens):
        added = {token.content for token in self.backend.get_added_tokens_decoder().values()}
        return b"".join(t.encode() if t in added else bytes([ord(t)]) for t in tokens).decode(errors="ignore")

    join.__doc__ = SlowTokenizer.join.__doc__

    def _encode(self, rows, paired, add_special_tokens, *arguments, **options):
        if add_special_tokens:
            ended = re.compile(rf"\s*{re.escape(self.eos_token)}\s*\Z")
            rows = [ended.sub("", row) if isinstance(row, str) else row for row in rows]
        return super()._encode(rows, paired, add_special_tokens, *arguments, **options)


def spelled_bytes(text):
    """A text -> its bytes, each as the character of that number."""
    return list(map(chr, text.encode()))

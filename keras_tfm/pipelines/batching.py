"""Rows of tokens through the compiled model, in batches of a few shapes, so that it is compiled a few times in all.

A row is a dict of what the tokenizer returns for one text, or for one part of a long one: input_ids (T,) and more.
"""

import numpy as np

from keras_tfm.runtime.compiling import compiled
from keras_tfm.tokenizers.batch import pad_rows

LENGTHS = (16, 32, 64, 128, 192, 256, 384, 512)  # beyond, the next multiple of 512


class Forward:
    """Runs a model on rows.

    Args:
        model: takes the inputs that `tokenizer` makes.
        outputs: the names of the outputs to return; where the model returns one tensor, the first.
        per_token: whether the outputs have a token axis.
        shorten: what a caller passes for rows that are too long.
    """

    def __init__(self, model, tokenizer, *, outputs, per_token, shorten):
        self.model, self.run = model, compiled(model)
        self.outputs, self.per_token, self.shorten = outputs, per_token, shorten
        known = {*model.served, *model.optional}
        self.names = [n for n in dict.fromkeys([*tokenizer.model_input_names, "attention_mask"]) if n in known]
        self.fill = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
        # Of an encoder-decoder that writes, what its encoder reads counts.
        self.words = getattr(model, "source_vocabulary", None) or model.config.vocab_size
        self.limit = getattr(model, "source_room", model.room)

    @staticmethod
    def size(row):
        """How many tokens a row has."""
        return len(row["input_ids"])

    def check(self, row):
        """Raises ValueError where a row has more tokens than the position table, or such as no vocabulary has."""
        ids = row["input_ids"]
        if self.limit and len(ids) > self.limit:
            raise ValueError(
                f"an input has {len(ids)} tokens, and the model's position table {self.limit} rows: pass {self.shorten}"
            )
        if (highest := ids.max(initial=0)) >= self.words:
            raise ValueError(
                f"token id {highest} is outside the model's vocabulary of {self.words} words: is the tokenizer its own?"
            )

    def __call__(self, rows, batch_size):
        """Up to `batch_size` rows -> {name: output, float32} of each, without the padding."""
        lengths = [len(row["input_ids"]) for row in rows]
        if "attention_mask" not in self.names and len(set(lengths)) > 1:  # the model would take padding for words
            return [outputs for row in rows for outputs in self([row], batch_size)]
        size = min(1 << (len(rows) - 1).bit_length(), batch_size)  # a power of two
        filled, length = rows + rows[-1:] * (size - len(rows)), self._padded(max(lengths))
        outputs = self.run(
            {
                name: pad_rows([row[name] for row in filled], length, self.fill.get(name, 0), "right")
                for name in self.names
            }
        )
        if not isinstance(outputs, dict):
            outputs = {self.outputs[0]: outputs}
        if absent := set(self.outputs) - set(outputs):
            raise ValueError(f"{type(self.model).__name__} has no output {', '.join(sorted(absent))}: not of this task")
        arrays = {name: outputs[name].astype("float32", copy=False) for name in self.outputs}
        return [{k: x[i, :n] if self.per_token else x[i] for k, x in arrays.items()} for i, n in enumerate(lengths)]

    def _padded(self, tokens):
        if "attention_mask" not in self.names:
            return tokens
        length = next((length for length in LENGTHS if length >= tokens), -(-tokens // 512) * 512)
        return min(length, self.limit or length)


def first_row(encoded):
    """The row of an encoding that has one."""
    return {name: array[0] for name, array in encoded.items()}


def rows_without_padding(encoded):
    """The rows of an encoding that may have several."""
    per_token = [name for name, array in encoded.items() if array.ndim > 1]
    masks = encoded["attention_mask"] == 1
    return [{name: encoded[name][i][mask] for name in per_token} for i, mask in enumerate(masks)]


def softmax(scores):
    """Over the last axis."""
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)

"""Functions that a user can add to: on scores (see processors.py), and on when to stop.

Shapes: R rows, S tokens that there is room for, V words.
"""

import functools

import numpy as np
from keras import ops


class Rules:
    """Functions whose numbers are arguments of a compiled program, not part of it.

    Args:
        functions: callables, of which the floats and arrays that a `functools.partial` binds become `numbers`.

    `key` tells apart what has to be compiled anew.
    """

    def __init__(self, functions):
        self.functions, self.numbers, self.key = [], [], []
        for function in functions:
            partial = isinstance(function, functools.partial)
            bare, keywords = (function.func, function.keywords) if partial else (function, {})
            numbers = {k: _number(v) for k, v in keywords.items() if isinstance(v, float | np.ndarray | np.generic)}
            fixed = {k: v for k, v in keywords.items() if k not in numbers}
            self.functions.append(functools.partial(bare, *(function.args if partial else ()), **fixed))
            self.numbers.append(numbers)
            self.key.append((bare, function.args if partial else (), tuple(sorted(fixed.items()))))
        self.key = tuple(self.key)
        try:
            hash(self.key)
        except TypeError as error:
            raise TypeError(
                f"what a rule binds is a part of its program: numbers, texts, tuples or NumPy arrays, not {error}"
            ) from None

    def apply(self, numbers, scores, ids, length):
        """scores (R, V) after all of them; numbers as in `numbers`."""
        for function, own in zip(self.functions, numbers, strict=True):
            scores = function(scores, ids, length, **own)
        return scores

    def any(self, numbers, ids, length):
        """(R,): whether one of them says so."""
        found = ops.zeros(ops.shape(ids)[:1], "bool")
        for function, own in zip(self.functions, numbers, strict=True):
            found = ops.logical_or(found, function(ids, length, **own))
        return found


def _number(value):
    return np.asarray(value, {"f": "float32", "i": "int32", "b": "bool"}[np.asarray(value).dtype.kind])


def ended(ids, length, *, eos):
    """A stopping rule: whether the last of the first `length` tokens of each row of ids (R, S) is one of eos (N,)."""
    last = ops.take(ids, length - 1, axis=1)
    return ops.any(last[:, None] == eos[None], axis=-1)

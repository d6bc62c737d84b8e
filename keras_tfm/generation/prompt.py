"""What generation begins with: the prompts, their padding, and the cache of a model that has read them.

Shapes: R rows, T tokens of the prompts, S tokens that there is room for, V words.
"""

from collections import OrderedDict

import numpy as np
from keras import ops

from keras_tfm.layers.positions import real_positions
from keras_tfm.runtime.compiling import program

PROGRAMS = 32  # so many a model keeps

PER_TOKEN = ("token_type_ids",)  # inputs besides the ids that go on with the text: as at its last token
FIXED = ("encoder_hidden_states", "encoder_attention_mask")  # inputs that every token meets


class Prompt:
    """The inputs of `generate`, checked and brought into shape.

    Args:
        model: the model that goes on with them.
        inputs: a dict of input_ids (R, T) and, where wanted, attention_mask and what else the model takes; or the ids
            alone; or None, for one row with the beginning-of-text token.
        config: a `GenerationConfig`.

    `ids` (R, T) int32; `mask` (R, T), None where nothing is padding; `extra`, {name: array}. What is padded on the
    right is moved: padding comes first.

    Raises:
        ValueError: no tokens, ids outside the vocabulary, an input that the model does not have or that cannot go on.
    """

    def __init__(self, model, inputs, config):
        self.model, self.config = model, config
        inputs = dict(inputs) if isinstance(inputs, dict) else {"input_ids": inputs}
        ids = inputs.pop("input_ids", None)
        if ids is None:
            if config.bos_token_id is None:
                raise ValueError("generate needs input_ids, or a bos_token_id to begin with")
            ids = [[config.bos_token_id]]
        self.ids = self._checked(ids)
        mask = inputs.pop("attention_mask", None)
        self.mask = self._guessed_mask() if mask is None else np.asarray(ops.convert_to_numpy(mask), "int32")
        if self.mask is not None and self.mask.shape != self.ids.shape:
            raise ValueError(f"attention_mask is {self.mask.shape} and input_ids are {self.ids.shape}")
        if unknown := set(inputs) - {*PER_TOKEN, *FIXED} or set(inputs) - {*model.served, *model.optional}:
            raise ValueError(f"{type(model).__name__} cannot go on with {', '.join(sorted(unknown))}: drop it")
        self.extra = {name: ops.convert_to_numpy(x) for name, x in inputs.items() if x is not None}
        self._pad_on_the_left()

    def _checked(self, ids):
        if len(self.model.signature()["input_ids"][0]) != 2:
            raise ValueError(f"{type(self.model).__name__} compares texts: load the class of its language model alone")
        ids = np.asarray(ops.convert_to_numpy(ids))
        if ids.ndim != 2 or ids.dtype.kind not in "iu" or 0 in ids.shape:
            raise ValueError(f"input_ids must be integers (rows, tokens), not {ids.dtype} {ids.shape}")
        words = self.model.config.vocab_size
        if ids.min() < 0 or ids.max() >= words:
            raise ValueError(f"input_ids reach from {ids.min()} to {ids.max()}: the vocabulary has 0 to {words - 1}")
        return ids.astype("int32")

    def _guessed_mask(self):
        """Padding tokens are padding, unless texts also end with them."""
        padding = self.config.pad_token_id
        if padding is None or padding in end_tokens(self.config):
            return None
        return (self.ids != padding).astype("int32")

    def _pad_on_the_left(self):
        if self.mask is None or self.mask.all():
            self.mask = None
            return
        if not self.mask.any(axis=1).all():
            raise ValueError("a prompt is all padding: give it a token to begin with")
        if "attention_mask" not in self.model.served:
            raise ValueError(f"{type(self.model).__name__} has no attention_mask: give prompts of equal length")
        order = np.argsort(self.mask != 0, axis=1, kind="stable") if not self.mask[:, -1].all() else None
        if order is not None:
            self.ids, self.mask = (np.take_along_axis(x, order, 1) for x in (self.ids, self.mask))
            for name in set(PER_TOKEN) & set(self.extra):
                self.extra[name] = np.take_along_axis(self.extra[name], order, 1)

    @property
    def rows(self):
        return self.ids.shape[0]

    @property
    def length(self):
        return self.ids.shape[1]

    def repeat(self, count):
        """Has every row `count` times."""
        self.ids = np.repeat(self.ids, count, 0)
        self.mask = None if self.mask is None else np.repeat(self.mask, count, 0)
        self.extra = {name: np.repeat(x, count, 0) for name, x in self.extra.items()}

    def widen(self, tokens):
        """Pads the rows to at least so many tokens."""
        if (missing := tokens - self.length) > 0:
            mask = np.ones_like(self.ids) if self.mask is None else self.mask
            self.ids, self.mask = (np.pad(x, ((0, 0), (missing, 0))) for x in (self.ids, mask))
            for name in set(PER_TOKEN) & set(self.extra):
                self.extra[name] = np.pad(self.extra[name], ((0, 0), (missing, 0)), mode="edge")


def end_tokens(config):
    """The tokens (N,) that end a text."""
    return np.atleast_1d([] if config.eos_token_id is None else config.eos_token_id).astype("int32")


def buffer(ids, size, fill):
    """ids (R, T) at the beginning of an array (R, S) of `fill`."""
    return np.pad(ids, ((0, 0), (0, size - ids.shape[1])), constant_values=fill)


def given_inputs(prompts, size):
    """What the model is told besides the ids, for the rows of these prompts and `size` tokens: see `token_inputs`."""
    given = {}
    for name in prompts[0].extra:
        x = np.concatenate([prompt.extra[name] for prompt in prompts])
        if name in PER_TOKEN:
            x = np.pad(x, ((0, 0), (0, size - x.shape[1])), mode="edge").astype("int32")
        given[name] = x
    if any(prompt.mask is not None for prompt in prompts):
        masks = [np.ones_like(p.ids) if p.mask is None else p.mask for p in prompts]
        given["attention_mask"] = buffer(np.concatenate(masks), size, 1)
    return given


def token_inputs(model, ids, places, given):
    """The model's inputs for tokens ids (R, T) at `places` (T,) of the texts that `given_inputs` tell of."""
    inputs = {"input_ids": ids} | given
    for name in set(PER_TOKEN) & set(given):
        inputs[name] = ops.take(given[name], places, axis=1)
    if "attention_mask" in given and "position_ids" in model.optional:
        first = getattr(model.backbone.embeddings, "first_position", 0)
        inputs["position_ids"] = first + ops.maximum(real_positions(given["attention_mask"], places), 0)
    return inputs


def read(model, ids, cache, size, given):
    """The cache (for `size` tokens) of a model that has read ids (R, T) into it."""
    run = cached_program(model, "read", lambda: program(model, _reading(model)))
    for start, _, piece in pieces(model, ids, size):
        cache = run(cache, piece, start, given)
    return cache


def pieces(model, ids, size):
    """How a model reads ids (R, T) into a cache for `size` tokens: where each piece starts, how many tokens it has, and
    the piece, a few zeros behind it.

    They are few, and of few different lengths, so that few programs are compiled: all tokens at once, with padding
    behind them, where later tokens overwrite it; else in pieces of 1, 2, 4, .. tokens.
    """
    start, tokens = 0, ids.shape[1]
    while start < tokens:
        rest = tokens - start
        if model.can_rewind(size):
            count, padded = rest, min(rounded(rest), size, model.room or size)
        else:
            count = padded = 1 << (rest.bit_length() - 1)
        yield np.int32(start), count, buffer(ids[:, start : start + count], padded, 0)
        start += count


def _reading(model):
    def run(cache, ids, start, given):
        places = start + ops.arange(ops.shape(ids)[1])
        return model(token_inputs(model, ids, places, given), cache=cache, start=start)["past_key_values"]

    return run


def rounded(count):
    """The next of a row of lengths: few of them, and none much above the count."""
    step = max(16, 1 << max(count.bit_length() - 2, 0))
    return -(-count // step) * step


def cached_program(model, key, make):
    """The program that was made for this model and key, or `make()`; the last ones used are kept, with the model."""
    programs = vars(model).setdefault("_programs", OrderedDict())
    if key not in programs:
        programs[key] = make()
        if len(programs) > PROGRAMS:
            programs.popitem(last=False)
    programs.move_to_end(key)
    return programs[key]

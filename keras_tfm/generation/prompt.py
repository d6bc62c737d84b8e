"""What generation begins with: the prompts, their padding, and the cache of a model that has read them.

Shapes: R rows, T tokens of the prompts, S tokens that there is room for, V words.
"""

from collections import OrderedDict

import keras
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
            alone; or None, for one row with the beginning-of-text token. Of an encoder-decoder they are the encoder's,
            and the texts go on with decoder_input_ids, which begin with decoder_start_token_id.
        config: a `GenerationConfig`.

    `ids` (R, T) int32; `mask` (R, T), None where nothing is padding; `extra`, {name: array}, what the model is told
    besides; `source`, the ids (R, S) that an encoder has read, else the prompt's. What is padded on the right is moved:
    padding comes first.

    Raises:
        ValueError: no tokens, ids outside the vocabulary, an input that the model does not have or that cannot go on.
    """

    def __init__(self, model, inputs, config):
        self.model, self.config = model, config
        inputs = dict(inputs) if isinstance(inputs, dict) else {"input_ids": inputs}
        if model.decoder_prefix:
            self._encode(inputs)
        else:
            self._take(inputs)
        self._pad_on_the_left()

    def _take(self, inputs):
        """The inputs of a decoder alone."""
        ids, config = inputs.pop("input_ids", None), self.config
        if ids is None:
            if config.bos_token_id is None:
                raise ValueError("generate needs input_ids, or a bos_token_id to begin with")
            ids = [[config.bos_token_id]]
        self.ids = self.source = self._checked(ids)
        self.mask = self._mask_of(self.ids, inputs.pop("attention_mask", None))
        if unknown := set(inputs) - {*PER_TOKEN, *FIXED} or set(inputs) - {*self.model.served, *self.model.optional}:
            raise ValueError(f"{type(self.model).__name__} cannot go on with {', '.join(sorted(unknown))}: drop it")
        self.extra = {name: ops.convert_to_numpy(x) for name, x in inputs.items() if x is not None}

    def _encode(self, inputs):
        """The inputs of an encoder-decoder: runs the encoder, and begins the decoder's texts."""
        ids, mask = (inputs.pop(self.model.decoder_prefix + name, None) for name in ("input_ids", "attention_mask"))
        inputs = {name: ops.convert_to_numpy(x) for name, x in inputs.items() if x is not None}
        if not inputs:
            raise ValueError(f"{type(self.model).__name__} needs inputs for its encoder")
        if unknown := set(inputs) - set(self.model.source_inputs):
            raise ValueError(f"{type(self.model).__name__} cannot go on with {', '.join(sorted(unknown))}: drop it")
        self.source, rows = None, len(next(iter(inputs.values())))
        if "input_ids" in inputs:
            self.source = self._checked(inputs["input_ids"], self.model.source_vocabulary)
            real = self._mask_of(self.source, inputs.get("attention_mask"))
            real = np.ones_like(self.source) if real is None else real
            size = self.source.shape[1]
            if "attention_mask" in self.model.source_inputs:  # else padding would count
                longer = rounded(size)  # so that few programs are compiled
                size = min(longer, max(self.model.source_room or longer, size))
            padding = {"input_ids": self.model.source_padding}
            inputs |= {"input_ids": self.source, "attention_mask": real}
            for name, x in inputs.items():
                if x.shape == self.source.shape:  # one for each token
                    inputs[name] = buffer(x, size, padding.get(name, 0))
        run = cached_program(self.model, "encode", lambda: program(self.model, _encoding(self.model)))
        self.extra = run((), inputs)
        start = self.config.decoder_start_token_id
        start = self.config.bos_token_id if start is None else start
        if start is None:
            raise ValueError("generate needs a decoder_start_token_id: with what the decoder begins")
        begin = np.full((rows, 1), start, "int32")
        self.ids = begin if ids is None else self._checked(ids)
        if len(self.ids) != rows:
            raise ValueError(f"{len(self.ids)} decoder_input_ids do not go with {rows} rows of the encoder")
        self.mask = None if mask is None else self._mask_of(self.ids, mask)
        if (self.ids[:, 0] != start).all():
            self.ids = np.concatenate([begin, self.ids], 1)
            self.mask = None if self.mask is None else np.pad(self.mask, ((0, 0), (1, 0)), constant_values=1)

    def _checked(self, ids, words=None):
        if len(self.model.signature()["input_ids"][0]) != 2:
            raise ValueError(f"{type(self.model).__name__} compares texts: load the class of its language model alone")
        ids = np.asarray(ops.convert_to_numpy(ids))
        if ids.ndim != 2 or ids.dtype.kind not in "iu" or 0 in ids.shape:
            raise ValueError(f"input_ids must be integers (rows, tokens), not {ids.dtype} {ids.shape}")
        words = words or self.model.config.vocab_size
        if ids.min() < 0 or ids.max() >= words:
            raise ValueError(f"input_ids reach from {ids.min()} to {ids.max()}: the vocabulary has 0 to {words - 1}")
        return ids.astype("int32")

    def _mask_of(self, ids, mask):
        """The mask (R, T) of ids. Where none is given, padding tokens are padding, unless texts also end with them."""
        padding = self.config.pad_token_id
        if mask is None:
            guessed = padding is not None and padding not in end_tokens(self.config)
            return (ids != padding).astype("int32") if guessed else None
        mask = np.asarray(ops.convert_to_numpy(mask), "int32")
        if mask.shape != ids.shape:
            raise ValueError(f"attention_mask is {mask.shape} and input_ids are {ids.shape}")
        return mask

    def _pad_on_the_left(self):
        if self.mask is None or self.mask.all():
            self.mask = None
            return
        if not self.mask.any(axis=1).all():
            raise ValueError("a prompt is all padding: give it a token to begin with")
        if f"{self.model.decoder_prefix}attention_mask" not in {*self.model.served, *self.model.optional}:
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
        self.extra = repeated(self.extra, count)

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
    for name, x in prompts[0].extra.items():
        if len(prompts) > 1:
            x = np.concatenate([prompt.extra[name] for prompt in prompts])
        if name in PER_TOKEN:
            x = np.pad(x, ((0, 0), (0, size - x.shape[1])), mode="edge").astype("int32")
        given[name] = x
    if any(prompt.mask is not None for prompt in prompts):
        masks = [np.ones_like(p.ids) if p.mask is None else p.mask for p in prompts]
        given[f"{prompts[0].model.decoder_prefix}attention_mask"] = buffer(np.concatenate(masks), size, 1)
    return given


def token_inputs(model, ids, places, given):
    """The model's inputs for tokens ids (R, T) at `places` (T,) of the texts that `given_inputs` tell of."""
    inputs = {f"{model.decoder_prefix}input_ids": ids} | given
    for name in set(PER_TOKEN) & set(given):
        inputs[name] = ops.take(given[name], places, axis=1)
    if not model.decoder_prefix and "attention_mask" in given and "position_ids" in model.optional:
        first = getattr(model.backbone.embeddings, "first_position", 0)
        inputs["position_ids"] = first + ops.maximum(real_positions(given["attention_mask"], places), 0)
    return inputs


def repeated(arrays, count):
    """Nested arrays with every row `count` times."""
    return keras.tree.map_structure(
        lambda x: (np if isinstance(x, np.ndarray) else ops).repeat(x, count, axis=0), arrays
    )


def _encoding(model):
    return lambda _, inputs: model.remember(inputs)


def read(model, ids, cache, size, given, start=0):
    """The cache (for `size` tokens) of a model that has read ids (R, T) into it, the first `start` before."""
    run = cached_program(model, "read", lambda: program(model, _reading(model)))
    for first, _, piece in pieces(model, ids, size, start):
        cache = run(cache, piece, first, given)
    return cache


def pieces(model, ids, size, start=0):
    """How a model reads ids (R, T), from `start` on, into a cache for `size` tokens: where each piece starts, how many
    tokens it has, and the piece, a few zeros behind it.

    They are few, and of few different lengths, so that few programs are compiled: all tokens at once, with padding
    behind them, where later tokens overwrite it; else in pieces of 1, 2, 4, .. tokens.
    """
    tokens, limit = ids.shape[1], reach(model, size)
    while start < tokens:
        rest = tokens - start
        if model.can_rewind(size):
            padded = min(rounded(rest), limit)
            start = min(start, limit - padded)  # where no padding fits in, some are read again
            count = tokens - start
        else:
            count = padded = 1 << (rest.bit_length() - 1)
        yield np.int32(start), count, buffer(ids[:, start : start + count], padded, 0)
        start += count


def reach(model, size):
    """How many tokens a model can read with a cache for `size` tokens."""
    return min(size, model.room or size)


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

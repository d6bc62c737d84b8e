"""What every pipeline does: preprocess, batch, run the compiled model, postprocess.

An input becomes one or more rows (long texts are cut into several). Rows are sorted by length and padded to a few
lengths and batch sizes, so that the model is compiled a few times in all, not once for every request.
"""

import inspect
import itertools

import numpy as np

from keras_tfm.layers.embeddings import TextEmbeddings
from keras_tfm.runtime.compiling import compiled
from keras_tfm.tokenizers.batch import pad_rows

LENGTHS = (16, 32, 64, 128, 192, 256, 384, 512)  # beyond, the next multiple of 512
WINDOW = 64  # so many batches of a list are sorted by length together


class Pipeline:
    """A task on a model. A subclass turns an input into rows (`preprocess`) and their outputs into a result
    (`postprocess`); the keyword-only arguments of the two are the task's options, at construction and in calls.

    Args:
        model: a model with the task's head.
        tokenizer: the tokenizer of that model.
        batch_size: how many rows the model gets at once. Default 8.
        **options: defaults for the calls' options.

    Raises:
        TypeError: an option the task does not have, or no tokenizer.
    """

    auto_class = None  # the name of the auto class that loads the head
    outputs = ("logits",)  # the names of the model's outputs; where it returns one tensor, that is the first
    per_token = True  # whether those have a token axis
    shorten = "truncation=True"  # what to pass for too long an input

    def __init__(self, model, tokenizer, *, batch_size=8, **options):
        if tokenizer is None:
            raise TypeError("pipeline needs a tokenizer beside a model object: pass tokenizer=..")
        self.model, self.tokenizer, self.batch_size, self.options = model, tokenizer, batch_size, options
        self.limit = min((e.position.input_dim for e in _text_embeddings(model) if e.position), default=None)
        self._forward = compiled(model)
        self.split_options(options)

    @classmethod
    def from_preset(cls, source, tokenizer=None, *, batch_size=8, **options):
        """Loads the model and, unless given, the tokenizer. Options: the task's and those of `Model.from_preset`."""
        from keras_tfm import auto

        task_options = {name: options.pop(name) for name in cls.option_names() if name in options}
        where = {k: options[k] for k in ("revision", "token", "cache_dir", "local_files_only") if k in options}
        if tokenizer is None or isinstance(tokenizer, str):
            tokenizer = auto.AutoTokenizer.from_preset(tokenizer or source, **where)
        model = getattr(auto, cls.auto_class).from_preset(source, **options)
        return cls(model, tokenizer, batch_size=batch_size, **task_options)

    @classmethod
    def option_names(cls):
        """The task's options."""
        return [*_keywords(cls.preprocess), *_keywords(cls.postprocess)]

    def preprocess(self, item):
        """One input -> a list of rows: dicts of the model's inputs, (T,) each, and what `postprocess` needs."""
        raise NotImplementedError

    def postprocess(self, item, rows):
        """One input and its rows, to which the model's outputs have been added, float32 -> the result."""
        raise NotImplementedError

    def __call__(self, inputs, *, batch_size=None, **options):
        """One input -> its result; a list -> a list of results; any other iterable -> a generator of them.

        Args:
            batch_size: in the place of the pipeline's.
            **options: in the place of the pipeline's, see the class.

        Raises:
            ValueError: an input that is longer than the model's position table, or ids outside its vocabulary.
        """
        batch_size = batch_size or self.batch_size
        options = self.split_options(self.options | options)
        if isinstance(inputs, str | dict):
            return next(self._run([inputs], 1, batch_size, options))
        if isinstance(inputs, list | tuple):
            return list(self._run(inputs, WINDOW * batch_size, batch_size, options))
        return self._run(iter(inputs), batch_size, batch_size, options)

    def tokenize(self, text, text_pair=None, *, truncation=False, max_length=None, **options):
        """Tokenizes one input into a dict of (rows, T) arrays. Truncates to what tokenizer and model have room for."""
        if truncation and max_length is None and self.limit:
            max_length = min(self.tokenizer.model_max_length, self.limit)
        options = {"padding": False, "return_attention_mask": True} | options
        return self.tokenizer(text, text_pair, truncation=truncation, max_length=max_length, **options)

    def _run(self, items, window, batch_size, options):
        from huggingface_hub.utils import tqdm

        many = isinstance(items, list | tuple) and len(items) > batch_size
        total, items = len(items) if many else None, iter(items)
        with tqdm(total=total, unit="input", disable=None if many else True, leave=False) as progress:
            while inputs := list(itertools.islice(items, window)):
                yield from self._results(inputs, batch_size, *options, progress)

    def _results(self, items, batch_size, before, after, progress):
        """The results of some inputs, in their order."""
        rows = [self.preprocess(item, **before) for item in items]
        todo = [(i, row) for i, its_rows in enumerate(rows) for row in its_rows]
        for _, row in todo:
            self._check(row["input_ids"])
        todo.sort(key=lambda entry: -len(entry[1]["input_ids"]))
        missing, results = [len(its_rows) for its_rows in rows], [None] * len(items)
        for start in range(0, len(todo), batch_size):
            batch = todo[start : start + batch_size]
            for (i, row), outputs in zip(batch, self._outputs([row for _, row in batch], batch_size), strict=True):
                row.update(outputs)
                missing[i] -= 1
                if not missing[i]:
                    results[i] = self.postprocess(items[i], rows[i], **after)
                    progress.update()
                    for used in rows[i]:  # scores of a whole vocabulary are large
                        used.clear()
        return results

    def _outputs(self, rows, batch_size):
        """Runs the model on up to `batch_size` rows -> {name: output} of each, without the padding."""
        lengths = [len(row["input_ids"]) for row in rows]
        length, size = self._padded_length(max(lengths)), min(1 << (len(rows) - 1).bit_length(), batch_size)
        filled = rows + rows[-1:] * (size - len(rows))
        fill = {"input_ids": self.tokenizer.pad_token_id or 0, "token_type_ids": self.tokenizer.pad_token_type_id}
        names = dict.fromkeys([*self.tokenizer.model_input_names, "attention_mask"])
        outputs = self._forward(
            {name: pad_rows([row[name] for row in filled], length, fill.get(name, 0), "right") for name in names}
        )
        if not isinstance(outputs, dict):
            outputs = {self.outputs[0]: outputs}
        if absent := set(self.outputs) - set(outputs):
            raise ValueError(
                f"{type(self.model).__name__} returns no {', '.join(sorted(absent))}: load it with {self.auto_class}"
            )
        arrays = {name: outputs[name].astype("float32", copy=False) for name in self.outputs}
        return [{k: x[i, :n] if self.per_token else x[i] for k, x in arrays.items()} for i, n in enumerate(lengths)]

    def _padded_length(self, tokens):
        length = next((length for length in LENGTHS if length >= tokens), -(-tokens // 512) * 512)
        return min(length, self.limit or length)

    def _check(self, ids):
        if self.limit and len(ids) > self.limit:
            raise ValueError(
                f"an input has {len(ids)} tokens, and the model's position table {self.limit} rows: pass {self.shorten}"
            )
        if (highest := ids.max(initial=0)) >= self.model.config.vocab_size:
            raise ValueError(
                f"token id {highest} is outside the model's vocabulary of {self.model.config.vocab_size} words: "
                "is this the model's tokenizer?"
            )

    def split_options(self, options):
        """Options -> those of `preprocess` and those of `postprocess`."""
        if unknown := set(options) - set(self.option_names()):
            raise TypeError(
                f"{type(self).__name__} has no option {', '.join(sorted(unknown))}; it has {', '.join(self.option_names())}"
            )
        return [
            {name: options[name] for name in _keywords(part) if name in options}
            for part in (self.preprocess, self.postprocess)
        ]


def first_row(encoded):
    """The row of an encoding that has one."""
    return {name: array[0] for name, array in encoded.items()}


def rows_without_padding(encoded):
    """The rows of an encoding that may have several."""
    return [
        {name: array[i][mask == 1] for name, array in encoded.items() if array.shape[:2] == encoded["input_ids"].shape}
        for i, mask in enumerate(encoded["attention_mask"])
    ]


def softmax(scores):
    """Over the last axis."""
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scores / scores.sum(axis=-1, keepdims=True)


def _keywords(function):
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _text_embeddings(model):
    return [layer for _, layer in model.named_layers() if isinstance(layer, TextEmbeddings)]

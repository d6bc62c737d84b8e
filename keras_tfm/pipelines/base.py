"""What every pipeline does: preprocess, run the model in batches, postprocess."""

import inspect
import itertools
from pathlib import Path

from keras_tfm.pipelines.batching import Forward

WINDOW = 64  # so many batches of a list are sorted by length together


class Pipeline:
    """A task on a model. A subclass turns an input into rows (`preprocess`) and their outputs into a result
    (`postprocess`); the keyword-only arguments of the two are the task's options, at construction and in calls.

    Args:
        model: a model with the task's head.
        tokenizer, image_processor: that model's, whichever the task needs.
        task: its name, where the class does several, such as translation_en_to_fr. Default: the class's own.
        batch_size: how many rows the model gets at once. Default 8.
        **options: in the place of the options' defaults.

    Raises:
        TypeError: no tokenizer or image processor, or an option that the task does not have.
    """

    task = ""
    readers = {"tokenizer": "AutoTokenizer"}  # what makes rows of inputs, and the auto class that loads it
    auto_class = ""  # the auto class that loads the head
    outputs = ("logits",)  # these four: see `Forward`
    per_token = True
    shorten = "truncation=True"

    def __init__(self, model, tokenizer=None, *, image_processor=None, task=None, batch_size=8, **options):
        given = {"tokenizer": tokenizer, "image_processor": image_processor}
        for name in self.readers:
            if given[name] is None:
                raise TypeError(f"a pipeline for {task or self.task} needs {name}= beside a model object")
            setattr(self, name, given[name])
        self.split_options(options)
        self.task = task or self.task
        self.model, self.batch_size, self.options = model, batch_size, options
        self.forward = self.make_forward()

    def make_forward(self):
        """What runs the model on rows."""
        return Forward(self.model, self.tokenizer, outputs=self.outputs, per_token=self.per_token, shorten=self.shorten)

    @classmethod
    def from_preset(cls, source, tokenizer=None, *, image_processor=None, task=None, batch_size=8, **options):
        """Loads the model and, unless given, what reads its inputs. Options: the task's and those of
        `Model.from_preset`."""
        from keras_tfm import auto

        own = {name: options.pop(name) for name in cls.option_names() if name in options}
        given = {"tokenizer": tokenizer, "image_processor": image_processor}
        for name, auto_class in cls.readers.items():
            if given[name] is None or isinstance(given[name], str | Path):
                given[name] = getattr(auto, auto_class).from_preset(given[name] or source, **hub_options(options))
        given = {name: given[name] for name in cls.readers}
        return cls(cls.load_model(source, options), **given, task=task, batch_size=batch_size, **own)

    @classmethod
    def load_model(cls, source, options):
        """The model with the task's head, of a preset."""
        from keras_tfm import auto

        return getattr(auto, cls.auto_class).from_preset(source, **options)

    @classmethod
    def option_names(cls):
        """The task's options."""
        return [*_keywords(cls.preprocess), *_keywords(cls.postprocess)]

    def preprocess(self, item):
        """One input -> a list of rows: dicts of the model's inputs, (T,) each, and of what `postprocess` needs."""
        raise NotImplementedError

    def postprocess(self, item, rows):
        """One input and its rows, to which the model's outputs have been added -> the result."""
        raise NotImplementedError

    def model_outputs(self, rows, batch_size):
        """Up to `batch_size` rows -> for each, a dict of what is added to it."""
        return self.forward(rows, batch_size)

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
        if self.is_one(inputs):
            return next(self._run([inputs], 1, batch_size, options))
        if isinstance(inputs, list | tuple):
            return list(self._run(inputs, WINDOW * batch_size, batch_size, options, len(inputs)))
        return self._run(iter(inputs), batch_size, batch_size, options)

    @staticmethod
    def is_one(inputs):
        """Whether this is one input, not several."""
        return isinstance(inputs, str | dict)

    def tokenize(self, text, text_pair=None, *, truncation=False, max_length=None, **options):
        """Tokenizes one input into a dict of (rows, T) arrays. Truncates to what tokenizer and model have room for."""
        if truncation and max_length is None and self.forward.limit:
            max_length = min(self.tokenizer.model_max_length, self.forward.limit)
        options = {"padding": False, "return_attention_mask": True} | options
        return self.tokenizer(text, text_pair, truncation=truncation, max_length=max_length, **options)

    def split_options(self, options):
        """Options -> those of `preprocess` and those of `postprocess`."""
        if unknown := set(options) - set(self.option_names()):
            names = ", ".join(self.option_names())
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}; it has {names}")
        return [
            {name: options[name] for name in _keywords(part) if name in options}
            for part in (self.preprocess, self.postprocess)
        ]

    def _run(self, items, window, batch_size, options, total=0):
        from huggingface_hub.utils import tqdm

        items, hide = iter(items), None if total > batch_size else True  # None: hidden where there is no terminal
        with tqdm(total=total, unit="input", disable=hide, leave=False) as progress:
            while inputs := list(itertools.islice(items, window)):
                yield from self._results(inputs, batch_size, progress, *options)

    def _results(self, items, batch_size, progress, before, after, *more):
        """The results of some inputs, in their order. The rows are run longest first."""
        rows = [self.preprocess(item, **before) for item in items]
        waiting, results = [len(its_rows) for its_rows in rows], [None] * len(items)
        queue = [(i, row) for i, its_rows in enumerate(rows) for row in its_rows]
        for _, row in queue:
            self.forward.check(row)
        queue.sort(key=lambda entry: -self.forward.size(entry[1]))
        for start in range(0, len(queue), batch_size):
            batch = queue[start : start + batch_size]
            outputs = self.model_outputs([row for _, row in batch], batch_size, *more)
            for (i, row), its_outputs in zip(batch, outputs, strict=True):
                row.update(its_outputs)
                waiting[i] -= 1
                if not waiting[i]:
                    results[i] = self.postprocess(items[i], rows[i], **after)
                    progress.update()
                    for used in rows[i]:  # a vocabulary's scores for every token are large
                        used.clear()
        return results


def hub_options(options):
    """Those of the options of `Model.from_preset` that say where files come from."""
    from keras_tfm.presets.io.hub import LOCATION

    return {k: options[k] for k in LOCATION if k in options}


def _keywords(function):
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]

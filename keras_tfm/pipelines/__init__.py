"""Pipelines: text in, plain Python out. One file per task, named after it, loaded when it is asked for."""

import difflib
import importlib
import warnings
from pathlib import Path

# Each task's model where the caller names none: a Hub id and the commit that is known to work; None if there is none.
TASKS = {
    "feature-extraction": "distilbert/distilbert-base-cased@935ac13",
    "fill-mask": "distilbert/distilroberta-base@ec58a5b",
    "multiple-choice": None,
    "question-answering": "distilbert/distilbert-base-cased-distilled-squad@626af31",
    "sentence-embedding": "sentence-transformers/all-MiniLM-L6-v2",
    "text-classification": "distilbert/distilbert-base-uncased-finetuned-sst-2-english@af0f99b",
    "text-generation": "openai-community/gpt2@607a30d",
    "token-classification": "dbmdz/bert-large-cased-finetuned-conll03-english@f2482bf",
    "zero-shot-classification": "FacebookAI/roberta-large-mnli@130fb28",
}
ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}
TASK_OF_HEAD = {
    "ForCausalLM": "text-generation",
    "ForMaskedLM": "fill-mask",
    "ForMultipleChoice": "multiple-choice",
    "ForQuestionAnswering": "question-answering",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "LMHeadModel": "text-generation",
    "Model": "feature-extraction",
}


def pipeline(task=None, model=None, tokenizer=None, *, batch_size=8, **options):
    """A callable that does a task: `pipeline("sentiment-analysis")("We are very happy")`.

    Args:
        task: one of `TASKS` or `ALIASES`. Default: the one that the model's head is for.
        model: a folder, a Hub id, "hf://" and a Hub id, or a model. Default: the task's model in `TASKS`.
        tokenizer: the same, or a tokenizer. Default: the one beside the model; a must where `model` is an object.
        batch_size: how many rows the model gets at once. Default 8.
        **options: the task's own options, as defaults of its calls (`top_k=3`; see its class), and those of
            `Model.from_preset` (`revision`, `token`, `dtype`, ...).

    Returns:
        A `keras_tfm.pipelines.base.Pipeline`. It takes one input, a list of them (and returns a list) or any other
        iterable (and returns a generator).

    Raises:
        ValueError: an unknown task, or none and the model does not tell it; no model, and the task has no usual one.
        TypeError: a model object without a tokenizer, or an unknown option.
    """
    if task is None:
        task = _task_of(model, options)
    task = ALIASES.get(task, task)
    if task not in TASKS:
        names = [*TASKS, *ALIASES]
        near = difflib.get_close_matches(str(task), names, 3, 0.5)
        raise ValueError(
            f"unknown task {task!r}"
            + (f"; did you mean {' or '.join(map(repr, near))}?" if near else ";")
            + f" The tasks are {', '.join(sorted(names))}."
        )
    if model is None:
        model = TASKS[task]
        if model is None:
            raise ValueError(f"there is no usual model for {task}: pass one, model=")
        warnings.warn(f"no model given for {task}: using {model}", stacklevel=2)
    module = importlib.import_module(f"{__name__}.{task.replace('-', '_')}")
    task_class = getattr(module, task.title().replace("-", "") + "Pipeline")
    if isinstance(model, str | Path):
        return task_class.from_preset(model, tokenizer, batch_size=batch_size, **options)
    return task_class(model, tokenizer, batch_size=batch_size, **options)


def _task_of(model, options):
    """The task that a model, or the class that its config.json names, is made for."""
    if model is None:
        raise ValueError(f"pipeline needs a task or a model; the tasks are {', '.join(TASKS)}")
    if isinstance(model, str | Path):
        from keras_tfm.auto import AutoConfig
        from keras_tfm.pipelines.base import hub_options

        names = AutoConfig.from_preset(model, **hub_options(options)).architectures or [""]
    else:
        names = [type(model).__name__]
    for ending, task in TASK_OF_HEAD.items():
        if names[0].endswith(ending):
            return task
    raise ValueError(f"{names[0] or model} does not tell its task: pass one of {', '.join(TASKS)}")

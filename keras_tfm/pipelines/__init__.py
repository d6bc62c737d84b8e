"""Pipelines: texts and pictures in, plain Python out. One file per task, named after it, loaded when asked for."""

import difflib
import importlib
import re
import warnings
from pathlib import Path

# Each task's model where the caller names none: a Hub id and the commit that is known to work; None if there is none.
TASKS = {
    "depth-estimation": "Intel/dpt-large@e93beec",
    "feature-extraction": "distilbert/distilbert-base-cased@935ac13",
    "fill-mask": "distilbert/distilroberta-base@ec58a5b",
    "image-classification": "google/vit-base-patch16-224@5dca96d",
    "image-feature-extraction": "google/vit-base-patch16-224@29e7a1e183",
    "image-segmentation": "facebook/detr-resnet-50-panoptic@fc15262",
    "mask-generation": "facebook/sam-vit-huge@997b15",
    "multiple-choice": None,
    "object-detection": "facebook/detr-resnet-50@2729413",
    "question-answering": "distilbert/distilbert-base-cased-distilled-squad@626af31",
    "sentence-embedding": "sentence-transformers/all-MiniLM-L6-v2",
    "summarization": "sshleifer/distilbart-cnn-12-6@a4f8f3e",
    "table-question-answering": None,
    "text-classification": "distilbert/distilbert-base-uncased-finetuned-sst-2-english@af0f99b",
    "text-generation": "openai-community/gpt2@607a30d",
    "text2text-generation": "google-t5/t5-base@686f1db",
    "token-classification": "dbmdz/bert-large-cased-finetuned-conll03-english@f2482bf",
    "translation": None,
    "translation_en_to_de": "google-t5/t5-base@686f1db",
    "translation_en_to_fr": "google-t5/t5-base@686f1db",
    "translation_en_to_ro": "google-t5/t5-base@686f1db",
    "video-classification": "MCG-NJU/videomae-base-finetuned-kinetics@4800870",
    "zero-shot-classification": "FacebookAI/roberta-large-mnli@130fb28",
}
PAIR = re.compile("translation_(.+)_to_(.+)")  # translation, from one language into another
ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}
TASK_OF_HEAD = {
    "ForDepthEstimation": "depth-estimation",
    "ForImageClassification": "image-classification",
    "ForImageClassificationWithTeacher": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
    "ForInstanceSegmentation": "image-segmentation",
    "ForUniversalSegmentation": "image-segmentation",
    "ForSegmentation": "image-segmentation",
    "ForVideoClassification": "video-classification",
    "SamModel": "mask-generation",
    "ForCausalLM": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "ForMaskedLM": "fill-mask",
    "ForMultipleChoice": "multiple-choice",
    "ForQuestionAnswering": "question-answering",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "LMHeadModel": "text-generation",
    "EncoderDecoderModel": "text2text-generation",
    "MTModel": "translation",
    "Model": "feature-extraction",
}


def pipeline(task=None, model=None, tokenizer=None, *, image_processor=None, batch_size=8, **options):
    """A callable that does a task: `pipeline("sentiment-analysis")("We are very happy")`.

    Args:
        task: one of `TASKS` or `ALIASES`, or translation_xx_to_yy with two languages. Default: the one that the model's
            head is for.
        model: a folder, a Hub id, "hf://" and a Hub id, or a model. Default: the task's model in `TASKS`.
        tokenizer, image_processor: the same, or an object; the task needs one of them. Default: the one beside the
            model; a must where `model` is an object.
        batch_size: how many rows the model gets at once. Default 8.
        **options: the task's own options, as defaults of its calls (`top_k=3`; see its class), and those of
            `Model.from_preset` (`revision`, `token`, `dtype`, ...).

    Returns:
        A `keras_tfm.pipelines.base.Pipeline`. It takes one input, a list of them (and returns a list) or any other
        iterable (and returns a generator).

    Raises:
        ValueError: an unknown task, or none and the model does not tell it; no model, and the task has no usual one.
        TypeError: a model object without a tokenizer or image processor, or an unknown option.
    """
    if task is None:
        task = _task_of(model, options)
    task = ALIASES.get(task, task)
    kind = "translation" if PAIR.fullmatch(str(task)) else task
    if kind not in TASKS:
        names = [*TASKS, *ALIASES, "translation_xx_to_yy"]
        near = difflib.get_close_matches(str(task), names, 3, 0.5)
        raise ValueError(
            f"unknown task {task!r}"
            + (f"; did you mean {' or '.join(map(repr, near))}?" if near else ";")
            + f" The tasks are {', '.join(sorted(names))}."
        )
    if model is None:
        model = TASKS.get(task)
        if model is None:
            raise ValueError(f"there is no usual model for {task}: pass one, model=")
        warnings.warn(f"no model given for {task}: using {model}", stacklevel=2)
    module = importlib.import_module(f"{__name__}.{kind.replace('-', '_')}")
    make = getattr(module, kind.title().replace("-", "") + "Pipeline")
    if isinstance(model, str | Path):
        make = make.from_preset
    if image_processor is not None:
        options["image_processor"] = image_processor
    return make(model, tokenizer, task=task, batch_size=batch_size, **options)


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

"""Text classification: labels and their scores for a text or a pair of texts."""

import warnings

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import first_row, softmax

FUNCTIONS = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "softmax": softmax, "none": lambda x: x}


class TextClassificationPipeline(Pipeline):
    """A text, or a dict of text and text_pair -> {"label": str, "score": float}, the best; of a str, in a list.

    Options:
        top_k: how many labels to return, the best first, None for all: a list of dicts then. Default "best": one dict.
        function_to_apply: "sigmoid", "softmax" or "none". Default: sigmoid where labels do not exclude each other (or
            there is only one), else softmax.
        return_all_scores: deprecated: True for all labels in the order of the configuration.
        truncation, max_length, padding: as in the tokenizer's call. Default: False, the model's length, False.
    """

    auto_class = "AutoModelForSequenceClassification"
    per_token = False

    def __call__(self, inputs, **options):
        results = super().__call__(inputs, **options)
        return [results] if isinstance(inputs, str) and "top_k" not in options else results

    def preprocess(self, item, *, truncation=False, max_length=None, padding=False):
        options = {"truncation": truncation, "max_length": max_length, "padding": padding}
        match item:
            case str():
                pair = {"text": item}
            case {"text": _}:
                pair = item
            case [[str(text), str(text_pair)]]:  # how pairs were passed before dicts
                pair = {"text": text, "text_pair": text_pair}
            case _:
                raise ValueError(f'an input is a text or {{"text": .., "text_pair": ..}}, not {item!r:.80}')
        return [first_row(self.tokenize(**pair, **options))]

    def postprocess(self, item, rows, *, top_k="best", function_to_apply=None, return_all_scores=None):
        config = self.model.config
        if function_to_apply is None:
            several = config.problem_type == "multi_label_classification" or config.num_labels == 1
            function_to_apply = "sigmoid" if several else "softmax"
        if function_to_apply not in FUNCTIONS:
            raise ValueError(f"function_to_apply={function_to_apply!r} is unknown: use one of {', '.join(FUNCTIONS)}")
        scores = FUNCTIONS[function_to_apply](rows[0]["logits"]).tolist()
        labels = [{"label": config.id2label[i], "score": score} for i, score in enumerate(scores)]
        ranked = sorted(labels, key=lambda label: -label["score"])
        if top_k != "best":
            return ranked[:top_k]
        if return_all_scores is not None:
            warnings.warn("return_all_scores is deprecated: use top_k=None for all, top_k=1 for the best", stacklevel=2)
        return labels if return_all_scores else ranked[0]

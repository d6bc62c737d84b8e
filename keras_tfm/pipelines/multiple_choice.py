"""Multiple choice: which of several endings or answers goes best with a text."""

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import first_row, softmax


class MultipleChoicePipeline(Pipeline):
    """A dict of text (str) and choices ([str]) -> [{"choice": str, "index": int, "score": float}], the best first.

    The scores of all choices sum to 1.

    Options:
        top_k: how many choices to return. Default: all.
        truncation, max_length: as in the tokenizer's call. Default: False, the model's length.
    """

    auto_class = "AutoModelForMultipleChoice"
    per_token = False

    def __init__(self, model, tokenizer, **options):
        super().__init__(model, tokenizer, **options)
        run = self.forward.run  # the head scores every choice by itself: each is run as the only one of its text
        self.forward.run = lambda inputs: run({name: array[:, None] for name, array in inputs.items()})

    def preprocess(self, item, *, truncation=False, max_length=None):
        match item:
            case {"text": str(text), "choices": [_, *_] as choices}:
                options = {"truncation": truncation, "max_length": max_length}
                return [first_row(self.tokenize(text, choice, **options)) for choice in choices]
        raise ValueError(f'an input is {{"text": str, "choices": [str, ..]}}, not {item!r:.80}')

    def postprocess(self, item, rows, *, top_k=None):
        scores = softmax(np.concatenate([row["logits"] for row in rows]))
        best = scores.argsort()[::-1][:top_k]
        return [{"choice": item["choices"][i], "index": int(i), "score": float(scores[i])} for i in best]

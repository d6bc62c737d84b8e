"""Zero-shot classification: labels named in the call, judged by a model of natural language inference."""

import warnings

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import first_row, softmax


class ZeroShotClassificationPipeline(Pipeline):
    """A text -> {"sequence": str, "labels": [str], "scores": [float]}, the best first.

    Whether a label fits is whether the text entails a sentence about it (arXiv:1909.00161). The model is one for
    sequence classification with a label that begins with "entail" (without, its last label counts, with a warning).

    Options:
        candidate_labels: the labels, a list or a str with commas; also the second argument of a call.
        hypothesis_template: the sentence; {} stands for the label. Default "This example is {}."
        multi_label: True to judge each label on its own, entailment against contradiction. Default False: the scores
            of all labels sum to 1 (unless there is only one label).
        multi_class: deprecated, the same as multi_label.
    """

    auto_class = "AutoModelForSequenceClassification"
    per_token = False
    shorten = "a shorter text"

    def __init__(self, model, tokenizer, **options):
        super().__init__(model, tokenizer, **options)
        ids = [i for i, label in sorted(model.config.id2label.items()) if label.lower().startswith("entail")]
        if not ids:
            names = ", ".join(model.config.id2label.values())
            warnings.warn(
                f"none of the model's labels ({names}) begins with 'entail': the last one is taken for it. "
                "Name it in the configuration, id2label={..: 'entailment'}.",
                stacklevel=2,
            )
        self.entailment = ids[0] if ids else -1

    def __call__(self, inputs, candidate_labels=None, **options):
        if candidate_labels is not None:
            options["candidate_labels"] = candidate_labels
        return super().__call__(inputs, **options)

    def preprocess(self, item, *, candidate_labels=(), hypothesis_template="This example is {}."):
        labels = candidate_labels
        if isinstance(labels, str):
            labels = [label.strip() for label in labels.split(",") if label.strip()]
        if not labels or not item:
            raise ValueError("zero-shot classification needs a text and at least one of candidate_labels")
        if hypothesis_template.format(labels[0]) == hypothesis_template:
            raise ValueError(f"hypothesis_template {hypothesis_template!r} has no {{}} for the label to stand in")
        return [
            first_row(self.tokenize(item, hypothesis_template.format(label), truncation="only_first"))
            | {"label": label}
            for label in labels
        ]

    def postprocess(self, item, rows, *, multi_label=False, multi_class=None):
        if multi_class is not None:
            warnings.warn("multi_class is deprecated: use multi_label", stacklevel=2)
            multi_label = multi_class
        logits = np.stack([row["logits"] for row in rows])  # (labels, classes)
        if multi_label or len(rows) == 1:
            contradiction = -1 if self.entailment == 0 else 0
            scores = softmax(logits[:, [contradiction, self.entailment]])[:, 1]
        else:
            scores = softmax(logits[:, self.entailment])
        best = scores.argsort()[::-1]
        return {"sequence": item, "labels": [rows[i]["label"] for i in best], "scores": scores[best].tolist()}

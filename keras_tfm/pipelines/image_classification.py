"""Image classification: labels and their scores for a picture."""

from keras_tfm.pipelines.picturing import ImagePipeline
from keras_tfm.pipelines.text_classification import FUNCTIONS


class ImageClassificationPipeline(ImagePipeline):
    """A picture -> a list of {"label": str, "score": float}, the best first.

    Options:
        top_k: how many labels to return. Default 5.
        function_to_apply: "sigmoid", "softmax" or "none". Default: sigmoid where labels do not exclude each other (or
            there is only one), else softmax.
        timeout: see `ImagePipeline`.
    """

    task = "image-classification"
    auto_class = "AutoModelForImageClassification"

    def postprocess(self, item, rows, *, top_k=5, function_to_apply=None):
        config = self.model.config
        if function_to_apply is None:
            several = config.problem_type == "multi_label_classification" or config.num_labels == 1
            function_to_apply = "sigmoid" if several else "softmax"
        if function_to_apply.lower() not in FUNCTIONS:
            raise ValueError(f"function_to_apply={function_to_apply!r} is unknown: use one of {', '.join(FUNCTIONS)}")
        scores = FUNCTIONS[function_to_apply.lower()](rows[0]["logits"]).tolist()
        labels = [{"label": config.id2label[i], "score": score} for i, score in enumerate(scores)]
        return sorted(labels, key=lambda label: -label["score"])[:top_k]

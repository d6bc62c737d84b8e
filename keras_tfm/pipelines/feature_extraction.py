"""Feature extraction: the last hidden state of every token."""

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import first_row


class FeatureExtractionPipeline(Pipeline):
    """A text -> nested lists of floats (1, T, D).

    Options:
        truncation: whether to cut texts to the model's length. Default False.
        tokenize_kwargs: a dict of further options of the tokenizer's call.
        return_tensors: whether to return a NumPy array (1, T, D) instead. Default False.
    """

    auto_class = "AutoModel"
    outputs = ("last_hidden_state",)

    def preprocess(self, text, *, truncation=None, tokenize_kwargs=None):
        options = dict(tokenize_kwargs or {})
        if truncation is not None:
            if "truncation" in options:
                raise ValueError("truncation is given twice: as an option and in tokenize_kwargs")
            options["truncation"] = truncation
        return [first_row(self.tokenize(text, **options))]

    def postprocess(self, text, rows, *, return_tensors=False):
        features = rows[0]["last_hidden_state"][None]
        return features.copy() if return_tensors else features.tolist()

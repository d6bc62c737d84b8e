"""Image feature extraction: the last hidden state of every patch, or what the model pools."""

from keras_tfm.pipelines.picturing import ImagePipeline


class ImageFeatureExtractionPipeline(ImagePipeline):
    """A picture -> nested lists of floats, (1, T, D) or, of convolutions, (1, C, h, w).

    Options:
        pool: whether to return the pooled features, (1, D). Default False.
        return_tensors: whether to return a NumPy array instead. Default False.
        image_processor_kwargs: a dict of options of the image processor's call.
        timeout: see `ImagePipeline`.
    """

    task = "image-feature-extraction"
    auto_class = "AutoModel"

    def preprocess(self, item, *, timeout=None, image_processor_kwargs=None):
        return self.rows(item, timeout, **image_processor_kwargs or {})

    def postprocess(self, item, rows, *, pool=False, return_tensors=False):
        name = "pooler_output" if pool else "last_hidden_state"
        if name not in rows[0]:
            raise ValueError(f"{type(self.model).__name__} has no {name}" + (": leave out pool=True" if pool else ""))
        features = rows[0][name][None]
        return features.copy() if return_tensors else features.tolist()

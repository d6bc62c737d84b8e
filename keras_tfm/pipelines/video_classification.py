"""Video classification: labels and their scores for a video."""

import numpy as np

from keras_tfm.pipelines.batching import softmax
from keras_tfm.pipelines.picturing import ImagePipeline
from keras_tfm.processors.videos import load_video


class VideoClassificationPipeline(ImagePipeline):
    """A video (a path, a URL, bytes, or an array (frames, h, w, 3)) -> a list of {"score": float, "label": str}, the
    best first.

    Options:
        top_k: how many labels to return. Default 5.
        num_frames: how many frames to look at. Default: as the model's configuration says.
        frame_sampling_rate: every how many frames one is taken. Default 1.
    """

    task = "video-classification"
    auto_class = "AutoModelForVideoClassification"

    def preprocess(self, item, *, num_frames=None, frame_sampling_rate=1):
        num_frames = num_frames or self.model.config.num_frames
        places = np.linspace(0, num_frames * frame_sampling_rate - 1, num_frames, dtype="int64")
        encoded = self.image_processor(load_video(item, places))
        return [{name: array[0] for name, array in encoded.items()}]

    def postprocess(self, item, rows, *, top_k=5):
        scores = softmax(rows[0]["logits"])
        best = scores.argsort()[::-1][:top_k]
        return [{"score": float(scores[i]), "label": self.model.config.id2label[int(i)]} for i in best]

"""Object detection: boxes around what is in a picture, with labels and scores."""

from keras_tfm.pipelines.picturing import ImagePipeline, batch_of_one


class ObjectDetectionPipeline(ImagePipeline):
    """A picture -> a list of {"score": float, "label": str, "box": {"xmin", "ymin", "xmax", "ymax"}}, in pixels.

    Options:
        threshold: the score that an object must exceed. Default 0.9.
        timeout: see `ImagePipeline`.
    """

    task = "object-detection"
    auto_class = "AutoModelForObjectDetection"

    def postprocess(self, item, rows, *, threshold=0.9):
        outputs, size = batch_of_one(rows[0]), rows[0]["size"]
        [found] = self.image_processor.post_process_object_detection(outputs, threshold, target_sizes=[size])
        corners = ("xmin", "ymin", "xmax", "ymax")
        return [
            {
                "score": float(score),
                "label": self.model.config.id2label[int(label)],
                "box": dict(zip(corners, (int(x) for x in box), strict=True)),
            }
            for score, label, box in zip(found["scores"], found["labels"], found["boxes"], strict=True)
        ]

"""Depth estimation: how far away what is in a picture is."""

from keras import ops

from keras_tfm.layers.images import resize
from keras_tfm.pipelines.picturing import ImagePipeline


class DepthEstimationPipeline(ImagePipeline):
    """A picture -> {"predicted_depth": what the model says, an array (1, h, w), "depth": a PIL image of the picture's
    size, the brighter the larger that is}.

    Option: timeout, see `ImagePipeline`.
    """

    task = "depth-estimation"
    auto_class = "AutoModelForDepthEstimation"
    outputs = ("predicted_depth",)

    def postprocess(self, item, rows):
        from PIL import Image

        depth = rows[0]["predicted_depth"]
        resized = ops.convert_to_numpy(resize(depth[None, ..., None], rows[0]["size"], "bicubic"))[0, ..., 0]
        grey = (resized * 255 / resized.max()).astype("uint8")
        return {"predicted_depth": depth[None].copy(), "depth": Image.fromarray(grey)}

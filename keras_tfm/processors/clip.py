"""CLIP's image processor, which GIT, GroupViT, LLaVA, X-CLIP and others use too."""

from keras_tfm.processors import transforms
from keras_tfm.processors.base import ImageProcessor


class CLIPImageProcessor(ImageProcessor):
    """Converts to RGB, resizes the shorter side to 224, crops the middle 224 x 224 and normalises as CLIP does."""

    defaults = ImageProcessor.defaults | {
        "size": {"shortest_edge": 224},
        "resample": transforms.BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "image_mean": transforms.CLIP_MEAN,
        "image_std": transforms.CLIP_STD,
        "do_convert_rgb": True,
    }
    steps = ("resize", "center_crop", "rescale", "normalize")

    def __init__(self, **config):
        super().__init__(**config)
        if "use_square_size" in config:
            edge = self.size.get("shortest_edge", self.size.get("height"))
            self.size = {"height": edge, "width": edge}

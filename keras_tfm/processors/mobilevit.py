"""MobileViT's image processor, which MobileViTV2 uses too."""

from keras_tfm.processors.segmentation import LabelledProcessor, SemanticSegmentation


class MobileViTImageProcessor(SemanticSegmentation, LabelledProcessor):
    """Resizes the shorter side to 224, crops or pads to 256 x 256, and turns RGB in 0..1 into BGR."""

    defaults = {
        "do_resize": True,
        "size": {"shortest_edge": 224},
        "resample": LabelledProcessor.defaults["resample"],
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_center_crop": True,
        "crop_size": {"height": 256, "width": 256},
        "do_flip_channel_order": True,
    }
    steps = ("resize", "rescale", "center_crop", "flip_channel_order")

    def _flip_channel_order(self, image, options):
        return image[..., ::-1]

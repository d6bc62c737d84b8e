"""SegFormer's image processor, which UPerNet uses too."""

from keras_tfm.processors import transforms
from keras_tfm.processors.segmentation import LabelledProcessor, SemanticSegmentation


class SegformerImageProcessor(SemanticSegmentation, LabelledProcessor):
    """Resizes to 512 x 512 and normalises as for ImageNet.

    do_reduce_labels: in segmentation maps 0 is the background, which shall not count (255), and the other labels move
    down by one.
    """

    defaults = LabelledProcessor.defaults | {
        "size": {"height": 512, "width": 512},
        "image_mean": transforms.IMAGENET_MEAN,
        "image_std": transforms.IMAGENET_STD,
        "do_reduce_labels": False,
    }
    synonyms = {"reduce_labels": "do_reduce_labels"}

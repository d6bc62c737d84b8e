"""BEiT's image processor, which Data2VecVision uses too."""

from keras_tfm.processors import transforms
from keras_tfm.processors.segmentation import LabelledProcessor, SemanticSegmentation


class BeitImageProcessor(SemanticSegmentation, LabelledProcessor):
    """Resizes to 256 x 256, crops the middle 224 x 224 and normalises to -1..1.

    do_reduce_labels: in segmentation maps 0 is the background, which shall not count (255), and the other labels move
    down by one. Maps are resized with the same filter as pictures.
    """

    defaults = LabelledProcessor.defaults | {
        "size": {"height": 256, "width": 256},
        "resample": transforms.BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "do_reduce_labels": False,
    }
    steps = ("resize", "center_crop", "rescale", "normalize")
    synonyms = {"reduce_labels": "do_reduce_labels"}

    def _map_options(self, options):
        return {}

"""BiT's image processor, which DINOv2 and FocalNet use too."""

from keras_tfm.processors.clip import CLIPImageProcessor


class BitImageProcessor(CLIPImageProcessor):
    """Does as CLIP's."""

"""ViT's image processor, which ViTMAE, ViTMSN, Swin and others use too."""

from keras_tfm.processors.base import ImageProcessor


class ViTImageProcessor(ImageProcessor):
    """Resizes to 224 x 224 and normalises to -1..1."""

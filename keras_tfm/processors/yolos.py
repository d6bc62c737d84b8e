"""YOLOS's image processor."""

from keras_tfm.processors.detection import DetectionProcessor

PATCH = 16


class YolosImageProcessor(DetectionProcessor):
    """Resizes as DETR's does, but squares not at all, and to multiples of 16; there is no pixel mask."""

    model_input_names = ("pixel_values",)
    returns_mask = False

    def _target_size(self, height, width, options):
        if "shortest_edge" not in options.size:
            return super()._target_size(height, width, options)
        if height != width:
            height, width = super()._target_size(height, width, options)
        return height - height % PATCH, width - width % PATCH

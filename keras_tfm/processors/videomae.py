"""VideoMAE's image processor, which TimeSformer uses too."""

import numpy as np

from keras_tfm.processors.base import ImageProcessor, stacked
from keras_tfm.processors.images import is_array


class VideoMAEImageProcessor(ImageProcessor):
    """Resizes the shorter side of every frame to 224, crops the middle 224 x 224 and normalises to -1..1."""

    defaults = ImageProcessor.defaults | {
        "size": {"shortest_edge": 224},
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    }
    steps = ("resize", "center_crop", "rescale", "normalize")

    def __call__(self, videos, **options):
        """Videos -> {"pixel_values": float32 (B, frames, 3, h, w)}.

        videos: a list of frames or an array (frames, h, w, 3), or a list of B of them, or an array (B, frames, ...).
            One picture is a video of one frame.

        ValueError for videos of different lengths, besides what `ImageProcessor` raises.
        """
        options = self._options(options)
        batch = []
        for frames in _videos(videos):
            rows = [self._prepared(frame, options) for frame in self._arrays(frames, options)]
            batch.append(stacked("pixel_values", rows, options.data_format))
        shapes = {video.shape for video in batch}
        if len(shapes) > 1:
            raise ValueError(f"videos of one batch must have one number of frames and one size: got {sorted(shapes)}")
        return {"pixel_values": np.stack(batch)}

    preprocess = __call__


def _videos(videos):
    """One video or several -> a list of videos."""
    if is_array(videos):
        return list(videos) if videos.ndim == 5 else [videos]
    several = isinstance(videos, list | tuple) and len(videos) > 0
    first = videos[0] if several else None
    if isinstance(first, list | tuple) or (is_array(first) and first.ndim == 4):
        return list(videos)
    return [videos]

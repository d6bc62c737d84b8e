"""Videos in: frames of files, URLs, bytes and arrays.

Animations (GIF, PNG, WebP) are read by Pillow, other files by the optional package `av`.
"""

import io
import os

import numpy as np

from keras_tfm.processors.images import fetch, is_array, pillow, to_array


def load_video(source, indices, timeout=None):
    """The frames of a video at these places, counted from 0: a list of arrays (h, w, 3).

    Args:
        source: a path, an http(s) URL, the bytes of a file, a list of pictures, or an array (frames, h, w, 3).
        indices: which frames, in rising order.
        timeout: seconds to wait for a URL. Default: for ever.

    Raises:
        FileNotFoundError: no such file.
        ConnectionError: the URL cannot be fetched.
        ValueError: not a video, or one with fewer frames.
        ImportError: it takes `av` to read it, which is not installed.
    """
    if is_array(source):
        frames = list(to_array(source))
    elif isinstance(source, list | tuple):
        frames = [to_array(frame) for frame in source]
    else:
        if isinstance(source, str) and source.startswith(("http://", "https://")):
            source = fetch(source, timeout)
        elif not isinstance(source, bytes) and not os.path.isfile(source):
            raise FileNotFoundError(f"no such video: {os.fspath(source)!r}")
        frames = _decoded(source, max(indices) + 1)
    if len(frames) <= max(indices):
        raise ValueError(
            f"the video has {len(frames)} frames, and frame {max(indices)} is wanted (counted from 0): ask for fewer "
            "with num_frames or frame_sampling_rate"
        )
    return [frames[i] for i in indices]


def _decoded(source, count):
    """The first `count` frames of a file, by its path or its bytes, or as many as there are."""

    def file():
        return io.BytesIO(source) if isinstance(source, bytes) else source

    image_module = pillow()
    try:
        with image_module.open(file()) as animation:
            frames = []
            for i in range(min(count, getattr(animation, "n_frames", 1))):
                animation.seek(i)
                frames.append(np.array(animation.convert("RGB")))
            return frames
    except image_module.UnidentifiedImageError:
        pass  # no animation, then
    try:
        import av
    except ImportError as error:
        raise ImportError("videos other than GIF, PNG and WebP need av: pip install 'keras-tfm[video]'") from error
    try:
        with av.open(file()) as container:
            frames = []
            for frame in container.decode(video=0):
                frames.append(frame.to_ndarray(format="rgb24"))
                if len(frames) == count:
                    break
            return frames
    except (av.error.FFmpegError, IndexError) as error:
        name = f"the {len(source)} bytes" if isinstance(source, bytes) else repr(os.fspath(source))
        raise ValueError(f"{name} is not a video that can be read, or it is damaged: {error}") from error

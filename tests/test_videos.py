"""Frames of videos, from files, bytes and arrays."""

import sys

import av
import numpy as np
import pytest
from image_recipe import picture
from PIL import Image

from keras_tfm.processors.videos import load_video

FRAMES = [np.array(picture("rgb:16x24"))[:, ::-1] // (i + 1) for i in range(5)]


@pytest.fixture
def animation(tmp_path):
    path = tmp_path / "video.webp"
    first, *rest = [Image.fromarray(frame) for frame in FRAMES]
    first.save(path, save_all=True, append_images=rest, lossless=True)
    return path


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "video.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=5)  # lossless
        stream.width, stream.height, stream.pix_fmt = 24, 16, "bgr0"
        for frame in FRAMES:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def assert_frames(found, places):
    assert len(found) == len(places)
    for frame, i in zip(found, places, strict=True):
        np.testing.assert_array_equal(frame, FRAMES[i])


def test_frames_of_animations_and_arrays(animation):
    for source in (animation, str(animation), animation.read_bytes(), np.stack(FRAMES), FRAMES):
        assert_frames(load_video(source, [0, 2, 3]), [0, 2, 3])


def test_frames_of_films(film):
    for source in (film, film.read_bytes()):
        assert_frames(load_video(source, [1, 4]), [1, 4])


def test_what_cannot_be_read_is_named(animation, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="5 frames, and frame 7"):
        load_video(animation, [0, 7])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_video(str(tmp_path / "nowhere.mp4"), [0])
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    with pytest.raises(ValueError, match=r"broken\.mp4"):
        load_video(broken, [0])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match="keras-tfm\\[video\\]"):
        load_video(broken, [0])

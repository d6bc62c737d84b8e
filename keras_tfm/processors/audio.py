"""Sound in: files, URLs, bytes, arrays and tensors -> samples at the rate that a model wants.

Shapes: n samples, C channels.
"""

import io
import os

import numpy as np

from keras_tfm.processors.images import fetch, is_array, to_array

FORMS = 'a path, a URL, bytes, an array, or a dict {"raw" or "array", "sampling_rate"}'
UNKNOWN_SIZES = (0, 2**31 - 4096)  # of a WAV file: what writes to a stream cannot go back and note the size


def load_audio(source, sampling_rate, timeout=30):
    """A sound from anywhere -> float32 (n,), one channel at `sampling_rate` samples a second, in -1..1.

    Args:
        source: a path, an http(s) URL or the bytes of a file (WAV, FLAC, OGG, MP3: what libsndfile reads), whose
            channels are averaged; an array or tensor (n,), or a list of numbers, which has that rate already; or a dict
            {"raw" or "array": such an array, "sampling_rate": its rate}. Integers of 16 or 32 bits count as PCM.
        sampling_rate: of the model: its feature extractor has it.
        timeout: seconds to wait for a URL.

    Sound of another rate is resampled. Silence is sound; an empty one is none.

    Raises:
        FileNotFoundError: no such file.
        ConnectionError: the URL cannot be fetched.
        ValueError: no sound, a truncated one, one without samples or with samples that are no numbers, an array of
            several channels.
        TypeError: anything else.
        ImportError: soundfile, or for sound of another rate soxr, is not installed.
    """
    if isinstance(source, dict):
        array = source.get("raw", source.get("array"))
        if array is None or "sampling_rate" not in source:
            raise ValueError(f'a sound in a dict needs "raw" or "array", and "sampling_rate": got {", ".join(source)}')
        return resample(waveform(pcm(array)), source["sampling_rate"], sampling_rate)
    if is_array(source) or isinstance(source, list | tuple):
        return waveform(pcm(source))
    if not isinstance(source, str | os.PathLike | bytes | bytearray | memoryview):
        raise TypeError(f"a sound is {FORMS}, not {type(source).__name__}")
    samples, rate, name = _decoded(source, timeout)
    return resample(waveform(samples.mean(1), name), rate, sampling_rate)


def waveform(array, name="a sound"):
    """Numbers of one channel -> float32 (n,).

    Raises:
        ValueError: several channels, no samples, or samples that are no numbers.
        TypeError: no array.
    """
    if isinstance(array, str | bytes | dict) or array is None:
        raise TypeError(
            f"{name} must be an array or a list of numbers: load files with keras_tfm.processors.load_audio"
        )
    try:
        array = np.asarray(to_array(array), np.float32)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array or a list of numbers, not {type(array).__name__}") from None
    if array.ndim != 1:
        raise ValueError(
            f"{name} must have one channel, an array (n,): got the shape {array.shape}. Average its channels, "
            "array.mean(axis), or take one of them"
        )
    return checked(array, name)


def checked(array, name="a sound"):
    """The array, which has samples, all of them finite; ValueError otherwise."""
    if not array.size:
        raise ValueError(f"{name} is empty: it has no samples")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(f"{name} has {bad} samples that are no numbers (NaN or infinite): np.nan_to_num replaces them")
    return array


def pcm(array):
    """An array whose integers of 16 or 32 bits have become numbers in -1..1."""
    array = to_array(array) if is_array(array) else array
    if getattr(array, "dtype", None) in (np.int16, np.int32):
        return array.astype(np.float32) / np.float32(-float(np.iinfo(array.dtype).min))
    return array


def resample(array, old, new):
    """float32 (n,) at `old` samples a second -> the same sound at `new`.

    Raises:
        ImportError: the rates differ and soxr is not installed.
    """
    if old == new:
        return array
    if not (old > 0 and new > 0):
        raise ValueError(f"sampling rates must be above 0: got {old} and {new}")
    try:
        import soxr
    except ImportError as error:
        raise ImportError(
            f"the sound has {old} samples a second and the model wants {new}: to resample it, "
            "pip install 'keras-tfm[audio]'"
        ) from error
    return soxr.resample(array, old, new)


def _decoded(source, timeout):
    """A file -> its samples, float32 (n, C), their rate, and how to call it in messages."""
    name = repr(os.fspath(source)) if isinstance(source, str | os.PathLike) else f"the {len(source)} bytes"
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        source, name = fetch(source, timeout), source
    elif isinstance(source, str | os.PathLike) and not os.path.isfile(source):
        raise FileNotFoundError(f"{name[:200]} is no file and no http(s) URL")
    try:
        import soundfile
    except ImportError as error:
        raise ImportError(f"sound files need soundfile ({error}): pip install 'keras-tfm[audio]'") from error
    with io.BytesIO(source) if isinstance(source, bytes | bytearray | memoryview) else open(source, "rb") as file:
        _check_length(file, name)
        try:
            with soundfile.SoundFile(file) as sound:
                samples, rate, frames = sound.read(dtype="float32", always_2d=True), sound.samplerate, sound.frames
        except soundfile.LibsndfileError as error:
            raise ValueError(f"{name} is not a sound that soundfile can read, or it is damaged: {error}") from error
    if len(samples) < frames:
        raise ValueError(f"{name} is truncated: {len(samples)} of its {frames} samples are there")
    return samples, rate, name


def _check_length(file, name):
    """See that a WAV file is as long as it says, which libsndfile doesn't; ValueError otherwise."""
    head, size = file.read(8), file.seek(0, io.SEEK_END)
    file.seek(0)
    stated = int.from_bytes(head[4:], "little")
    if head[:4] == b"RIFF" and UNKNOWN_SIZES[0] < stated < UNKNOWN_SIZES[1] and size < stated + 8:
        raise ValueError(f"{name} is truncated: {size} of its {stated + 8} bytes are there")

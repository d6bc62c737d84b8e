"""From samples to spectrograms: windows, mel filters, power and decibels, and Kaldi's filter banks.

Shapes: n samples, T frames, F frequencies, M mel filters.
"""

from functools import cache

import numpy as np

BLOCK = 512  # frames that are transformed at once: they stay in the processor's cache
WINDOWS = {"boxcar": np.ones, "hann": np.hanning, "hamming": np.hamming, "povey": lambda n: np.hanning(n) ** 0.85}
KALDI_FLOOR = 1.192092955078125e-07  # the smallest step of a float32 at 1


def window(length, name="hann", periodic=True):
    """float64 (length,): a window "boxcar", "hann", "hamming" or "povey" ("hann_window" is "hann", and so on).

    periodic: its period is `length`, as for spectra; False: it is symmetric. ValueError for other names.
    """
    function = WINDOWS.get(name.removesuffix("_window"))
    if function is None:
        raise ValueError(f"the window {name!r} is unknown: use one of {', '.join(map(repr, WINDOWS))}")
    return function(length + 1)[:-1] if periodic else function(length)


def hertz_to_mel(hertz, scale="htk"):
    """Frequencies -> mels, on the scale "htk", "slaney" or "kaldi"."""
    hertz = np.asarray(hertz, float)
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    if scale == "kaldi":
        return 1127 * np.log(1 + hertz / 700)
    _check_scale(scale)
    logarithm = np.log(np.maximum(hertz, 1000) / 1000)  # straight up to 1000 Hz, 15 mels
    return np.where(hertz < 1000, 3 * hertz / 200, 15 + logarithm * (27 / np.log(6.4)))


def mel_to_hertz(mels, scale="htk"):
    """Mels -> frequencies, on the scale "htk", "slaney" or "kaldi"."""
    mels = np.asarray(mels, float)
    if scale == "htk":
        return 700 * (10 ** (mels / 2595) - 1)
    if scale == "kaldi":
        return 700 * (np.exp(mels / 1127) - 1)
    _check_scale(scale)
    return np.where(mels < 15, 200 * mels / 3, 1000 * np.exp(np.log(6.4) / 27 * (np.maximum(mels, 15) - 15)))


def _check_scale(scale):
    if scale != "slaney":
        raise ValueError(f"the mel scale {scale!r} is unknown: use 'htk', 'slaney' or 'kaldi'")


@cache
def mel_filters(frequencies, count, lowest, highest, sampling_rate, norm=None, scale="htk", triangles_in_mels=False):
    """float64 (F, M): triangles at equal distances on a mel scale, to multiply spectra (T, F) with.

    Args:
        frequencies, count: F and M. The frequencies go up to half of the sampling rate.
        lowest, highest: in Hz, where the first triangle begins and the last ends.
        norm: "slaney" gives all triangles the same area, None the same height.
        scale: see `hertz_to_mel`.
        triangles_in_mels: their sides are straight over mels, as torchaudio's and Kaldi's, and not over Hz.

    With many filters and few frequencies, some of the lowest may hold none.
    """
    if norm not in (None, "slaney"):
        raise ValueError(f"norm must be 'slaney' or None, not {norm!r}")
    corners = np.linspace(hertz_to_mel(lowest, scale), hertz_to_mel(highest, scale), count + 2)
    if triangles_in_mels:
        places = hertz_to_mel(sampling_rate / (2 * frequencies) * np.arange(frequencies), scale)
    else:
        corners, places = mel_to_hertz(corners, scale), np.linspace(0, sampling_rate // 2, frequencies)
    distance, width = corners - places[:, None], np.diff(corners)
    filters = np.maximum(0, np.minimum(-distance[:, :-2] / width[:-1], distance[:, 2:] / width[1:]))
    if norm == "slaney":
        filters *= 2 / (corners[2:] - corners[:-2])
    filters.flags.writeable = False  # all callers share it
    return filters


def spectra(waveform, window, hop, length=None, center=True, dc_offset=True, preemphasis=0.0):
    """The spectra of the frames of a sound, complex64 (T, F), computed in double precision.

    Args:
        waveform: (n,).
        window: what a frame is multiplied by; its length is that of a frame.
        hop: samples from one frame to the next.
        length: of the transform, which fills frames up with zeros; F = length // 2 + 1. Default: that of a frame.
        center: frames lie around their place, as the sound is reflected at both ends.
        dc_offset: False subtracts the mean of each frame.
        preemphasis: what is subtracted of each sample's predecessor.

    ValueError for a sound that is shorter than a frame.
    """
    frame = len(window)
    if center:
        waveform = np.pad(waveform, frame // 2, mode="reflect")
    if len(waveform) < frame:
        raise ValueError(f"the sound has {len(waveform)} samples, fewer than the {frame} of a frame")
    frames = np.lib.stride_tricks.sliding_window_view(waveform, frame)[::hop]
    result = np.empty((len(frames), (length or frame) // 2 + 1), np.complex64)
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK].astype(float)
        if not dc_offset:
            block -= block.mean(1, keepdims=True)
        if preemphasis:
            block[:, 1:] -= preemphasis * block[:, :-1]
            block[:, 0] *= 1 - preemphasis
        block *= window
        result[start : start + BLOCK] = np.fft.rfft(block, length)
    return result


def spectrogram(waveform, window, hop, power=2, filters=None, floor=1e-10, **options):
    """The amplitudes (power 1) or energies (2) of a sound's frames, float64 (T, F).

    filters: mel filters (F, M); the result is then (T, M) and at least `floor`. Other options: see `spectra`.
    """
    result = spectra(waveform, window, hop, **options)
    result = result.real.astype(float) ** 2 + result.imag.astype(float) ** 2
    result = result if power == 2 else result ** (power / 2)
    return result if filters is None else np.maximum(floor, result @ filters)


def to_decibels(energies, reference=1.0, floor=1e-10, span=None):
    """Energies -> decibels above `reference`; at least those of `floor`, and no more than `span` below the loudest."""
    if not (reference > 0 and floor > 0 and (span is None or span > 0)):
        raise ValueError(f"reference={reference}, floor={floor} and span={span} must be above 0")
    decibels = 10 * (np.log10(np.maximum(energies, floor)) - np.log10(max(floor, reference)))
    return decibels if span is None else np.maximum(decibels, decibels.max() - span)


def kaldi_banks(waveform, count, sampling_rate, window_name="povey"):
    """Kaldi's logarithmic mel filter banks of frames of 25 ms at 16 kHz, 10 ms apart, float32 (T, M)."""
    filters = mel_filters(256, count, 20, sampling_rate // 2, sampling_rate, scale="kaldi", triangles_in_mels=True)
    energies = spectrogram(
        waveform,
        window(400, window_name, periodic=False),
        hop=160,
        filters=np.pad(filters, ((0, 1), (0, 0))),  # the highest frequency is in none
        floor=KALDI_FLOOR,
        length=512,
        center=False,
        dc_offset=False,
        preemphasis=0.97,
    )
    return np.log(energies).astype(np.float32)


def power_of_two(length):
    """The power of two that is not below `length`."""
    return 1 << (length - 1).bit_length()

"""Sounds that both sides can make, from a seed and sines, and what of the results a fixture stores. NumPy only.

A sound is named "form:4000" (samples).
"""

import numpy as np
from seeded import integers


def sound(name):
    """The sound of this name. Forms: a voice in float32, or as float64, a list, integers, two channels; silence."""
    form, _, samples = name.partition(":")
    count = int(samples.partition("#")[0])
    time = np.arange(count) / 16000
    noise = integers(name, (count,), -1000, 1001) / 1000
    voice = 0.4 * np.sin(2 * np.pi * 220 * time * (1 + time)) + 0.2 * np.sin(2 * np.pi * 1330 * time) ** 3 + 0.1 * noise
    if form == "silence":
        return np.zeros(count, "float32")
    if form == "pause":  # silence at the end
        voice[count // 2 :] = 0
    if form == "doubles":
        return voice
    if form == "numbers":
        return [float(value) for value in voice.astype("float32")]
    if form == "integers":
        return (voice * 30000).astype("int16")
    if form == "stereo":
        return np.stack([voice, 0.05 * noise]).astype("float32")
    return voice.astype("float32")


def sounds(names):
    """A sound for a name, a list for a list; "batch of 2 voice:900" is one array."""
    if isinstance(names, list):
        return [sounds(name) for name in names]
    if names.startswith("batch of "):
        count, name = names.removeprefix("batch of ").split(" ")
        return np.stack([sound(f"{name}#{i}") for i in range(int(count))])
    return sound(names)


def summary(array):
    """What is stored of an array: whole if it is small, else its sums and some of its numbers."""
    array = np.asarray(array)
    if array.dtype.kind == "f":
        array = array.astype("float32")
    stored = {"shape": list(array.shape), "kind": "f" if array.dtype.kind == "f" else "i"}
    flat = array.reshape(-1)
    if flat.size <= 100:
        return stored | {"values": numbers(flat)}
    places = integers(str(array.shape), (60,), 0, flat.size)
    wide = flat.astype("float64")
    return stored | {"mean": float(wide.mean()), "size": float(abs(wide).mean()), "values": numbers(flat[places])}


def numbers(values):
    """Numbers as JSON has them, floats to nine digits, which is all that a float32 has."""
    return [float(f"{value:.9g}") if values.dtype.kind == "f" else int(value) for value in values]


def close(ours, expected, tolerance=1e-5):
    """See that an array is what was stored of the reference's."""
    mine = summary(ours)
    assert (mine["shape"], mine["kind"]) == (expected["shape"], expected["kind"])
    for key in mine.keys() - {"shape", "kind"}:
        theirs = np.array(expected[key], float)
        np.testing.assert_array_less(abs(mine[key] - theirs), tolerance * (1 + abs(theirs)), err_msg=key)

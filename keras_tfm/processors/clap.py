"""CLAP's feature extractor: mel spectrograms of ten seconds, of longer sounds in parts."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor
from keras_tfm.processors.joint import Processor
from keras_tfm.processors.segmentation import resize_bilinear
from keras_tfm.processors.spectrograms import mel_filters, spectrogram, to_decibels, window

TRUNCATION, PADDING = ("fusion", "rand_trunc"), ("repeatpad", "repeat", "pad")


class ClapFeatureExtractor(FeatureExtractor):
    """Mel spectrograms in decibels.

    Options besides those of `FeatureExtractor`:
        max_length_s: seconds that sounds are filled up or cut to.
        truncation: of longer ones, "fusion" takes the whole, shrunk, and three parts chosen at random; "rand_trunc" one
            such part.
        padding: of shorter ones, "repeatpad" repeats them whole and fills up, "repeat" repeats them, "pad" fills up.
        fft_window_size, hop_length: samples of a frame, and from one to the next.
        frequency_min, frequency_max: in Hz, what the filters lie between.
        top_db: has no effect.
    """

    defaults = FeatureExtractor.defaults | {
        "feature_size": 64,
        "sampling_rate": 48000,
        "hop_length": 480,
        "max_length_s": 10,
        "fft_window_size": 1024,
        "return_attention_mask": False,
        "frequency_min": 0,
        "frequency_max": 14000,
        "top_db": None,
        "truncation": "fusion",
        "padding": "repeatpad",
    }
    derived = ("nb_max_samples", "nb_frequency_bins")
    model_input_names = ("input_features", "is_longer")

    @property
    def nb_max_samples(self):
        """Samples that sounds are filled up or cut to."""
        return self.max_length_s * self.sampling_rate

    @property
    def nb_frequency_bins(self):
        """Frequencies of a spectrum."""
        return self.fft_window_size // 2 + 1

    def __call__(
        self,
        raw_speech,
        *,
        truncation=None,
        padding=None,
        max_length=None,
        sampling_rate=None,
        generator=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, 4, T, M), "is_longer": bool (B, 1)}; (B, 1, T, M) for "rand_trunc".

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n).
        truncation, padding: as for the class.
        max_length: samples that sounds are filled up or cut to; by default those of `max_length_s`.
        generator: a `numpy.random.RandomState` that chooses parts, and where "fusion" has no sound that is longer, one
            that is said to be. Default: NumPy's own, which `numpy.random.seed` sets.

        ValueError for sounds of several channels, empty ones and samples that are no numbers; TypeError for no sound.
        """
        truncation, padding = truncation or self.truncation, padding or self.padding
        for name, value, known in (("truncation", truncation, TRUNCATION), ("padding", padding, PADDING)):
            if value not in known:
                raise ValueError(f"{name}={value!r} is unknown: use one of {', '.join(map(repr, known))}")
        rows, chosen = self._waveforms(raw_speech, sampling_rate, return_tensors), generator or np.random
        length = max_length or self.nb_max_samples
        made = [self._parts(row.astype(float), length, truncation, padding, chosen) for row in rows]
        features, longer = (list(each) for each in zip(*made, strict=True))
        if truncation == "fusion" and not any(longer):
            longer[chosen.randint(0, len(longer))] = True
        return {"input_features": np.stack(features), "is_longer": np.array(longer)[:, None]}

    def _parts(self, waveform, length, truncation, padding, chosen):
        """(n,) -> float32 (4 or 1, T, M), and whether it is longer than `length`."""
        fused, longer = truncation == "fusion", len(waveform) > length
        if longer and not fused:
            start = chosen.randint(0, len(waveform) - length + 1)
            waveform = waveform[start : start + length]
        elif not longer:
            waveform = filled(waveform, length, padding)
        decibels = self._decibels(waveform, fused)
        frames = length // self.hop_length + 1
        if not fused:
            return decibels[None], longer
        if not longer or len(decibels) == frames:
            return np.stack([decibels] * 4), False
        thirds = np.array_split(np.arange(len(decibels) - frames + 1), 3)
        starts = [chosen.choice(third if len(third) else [0]) for third in thirds]
        small = resize_bilinear(decibels, (frames, self.feature_size))
        return np.stack([small, *(decibels[start : start + frames] for start in starts)]), True

    def _decibels(self, waveform, fused):
        """(n,) -> float32 (T, M); the filters of the two ways to truncate differ."""
        options = {} if fused else {"norm": "slaney", "scale": "slaney"}
        limits = self.frequency_min, self.frequency_max, self.sampling_rate
        filters = mel_filters(self.nb_frequency_bins, self.feature_size, *limits, **options)
        energies = spectrogram(waveform, window(self.fft_window_size), self.hop_length, filters=filters)
        return to_decibels(energies).astype(np.float32)


def filled(waveform, length, padding):
    """A sound that is not longer than `length` -> one of that length."""
    if padding == "repeat" and len(waveform) < length:
        return np.resize(waveform, length)
    if padding == "repeatpad":
        waveform = np.tile(waveform, length // len(waveform))
    return np.pad(waveform, (0, length - len(waveform)))


class ClapProcessor(Processor):
    """Sounds and texts, to compare. See `Processor`."""

    extractor_class = "ClapFeatureExtractor"
    tokenizer_class = "RobertaTokenizer"

    def __call__(self, text=None, audios=None, **options):
        """Texts -> what the tokenizer makes of them, and sounds -> what the feature extractor makes of them, in one
        dict.

        options: those of calls of either; `padding` and `truncation` are those of the texts, as sounds have them as
            options of the class. ValueError for neither, TypeError for an option that nobody has.
        """
        if audios is None and text is None:
            raise ValueError("pass text, audios or both")
        self._check_options(options)
        heard = {
            key: value
            for key, value in options.items()
            if key not in ("padding", "truncation") or (text is None and isinstance(value, str))
        }
        read, made = self._read(text, options), self._made(self.feature_extractor, audios, heard)
        return (read or {}) | (made or {})

"""UnivNet's feature extractor: logarithmic mel spectrograms, and the noise that speech is made of."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor
from keras_tfm.processors.images import to_array
from keras_tfm.processors.spectrograms import mel_filters, power_of_two, spectra, window


class UnivNetFeatureExtractor(FeatureExtractor):
    """Mel spectrograms, and noise.

    Options besides those of `FeatureExtractor`:
        do_normalize, normalize_min, normalize_max: the spectrogram from those limits to -1..1.
        num_mel_bins, fmin, fmax: filters, and the frequencies in Hz that they lie between (default of `fmax`: half of
            the sampling rate).
        win_length, hop_length: samples of a frame, and from one to the next.
        filter_length: samples that are transformed. Null: the power of two that is not below `win_length`.
        win_function: see `spectrograms.window`.
        max_length_s: seconds that "max_length" fills up to and longer sounds are cut to.
        mel_floor: the least energy.
        center: frames lie around their place.
        compression_factor, compression_clip_val: what amplitudes are multiplied by, and the least of them.
        model_in_channels: the width of the noise.
        pad_end_length: frames of silence that `pad_end` adds.
    """

    defaults = FeatureExtractor.defaults | {
        "sampling_rate": 24000,
        "do_normalize": False,
        "num_mel_bins": 100,
        "hop_length": 256,
        "win_length": 1024,
        "win_function": "hann_window",
        "filter_length": 1024,
        "max_length_s": 10,
        "fmin": 0.0,
        "fmax": None,
        "mel_floor": 1e-9,
        "center": False,
        "compression_factor": 1.0,
        "compression_clip_val": 1e-5,
        "normalize_min": -11.512925148010254,
        "normalize_max": 2.3143386840820312,
        "model_in_channels": 64,
        "pad_end_length": 10,
    }
    may_be_none = ("filter_length",)
    model_input_names = ("input_features", "noise_sequence", "padding_mask")

    def __init__(self, **config):
        super().__init__(**config)
        if self.fmax is None:
            self.fmax = float(self.sampling_rate) / 2

    def __call__(
        self,
        raw_speech,
        *,
        padding=True,
        max_length=None,
        truncation=True,
        pad_to_multiple_of=None,
        return_noise=True,
        generator=None,
        pad_end=False,
        pad_length=None,
        do_normalize=None,
        return_attention_mask=None,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, T, M), "noise_sequence": float32 (B, T, C), "padding_mask": int32
        (B, samples)}.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n).
        return_noise, generator: whether to make noise, and a `numpy.random.Generator` that makes it.
        pad_end, pad_length: whether to add silence, and how many frames (default: `pad_end_length`).
        do_normalize: as for the class.
        Other options: see `FeatureExtractor`.

        ValueError for sounds of several channels, empty ones and samples that are no numbers; TypeError for no sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        if pad_end:
            more = (self.pad_end_length if pad_length is None else pad_length) * self.hop_length
            rows = [np.pad(row, (0, more), constant_values=self.padding_value) for row in rows]
        limit = self.max_length_s * self.sampling_rate if max_length is None else max_length
        rows, mask = self._padded(rows, padding, limit, truncation, pad_to_multiple_of)
        features = np.stack([self._log_mels(row) for row in rows])
        outputs = {}
        if return_noise:
            generator = generator or np.random.default_rng()
            shape = features.shape[1], self.model_in_channels
            noise = [generator.standard_normal(shape, dtype=np.float32) for _ in rows]
            outputs["noise_sequence"] = np.stack(noise)
        if self.do_normalize if do_normalize is None else do_normalize:
            low, high = np.float32(self.normalize_min), np.float32(self.normalize_max)
            features = 2 * (features - low) / (high - low) - 1
        masked = self._asked_for_mask(return_attention_mask)
        return {"input_features": features, **outputs, **({"padding_mask": mask} if masked else {})}

    def batch_decode(self, waveforms, waveform_lengths=None):
        """What the model makes, (B, n), and how many samples of it are no padding -> a list of arrays (n,)."""
        waveforms = to_array(waveforms)
        lengths = [None] * len(waveforms) if waveform_lengths is None else to_array(waveform_lengths)
        return [row[:length] for row, length in zip(waveforms, lengths, strict=True)]

    def _log_mels(self, waveform):
        length = self.filter_length or power_of_two(self.win_length)
        side = (length - self.hop_length) // 2
        waveform = np.pad(waveform, side, mode="reflect")
        shape = window(self.win_length, self.win_function)
        if self.win_length != length:
            raise ValueError(f"win_length={self.win_length} must be the length that is transformed, {length}")
        frames = spectra(waveform, shape, self.hop_length, center=self.center)
        limits = self.fmin, self.fmax, self.sampling_rate
        filters = mel_filters(length // 2 + 1, self.num_mel_bins, *limits, norm="slaney", scale="slaney")
        amplitudes = np.sqrt(frames.real**2 + frames.imag**2 + self.mel_floor) @ filters
        clipped = np.maximum(amplitudes, self.compression_clip_val) * self.compression_factor
        return np.log(clipped).astype(np.float32)

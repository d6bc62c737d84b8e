"""CLVP's feature extractor: logarithmic mel spectrograms of a voice."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor
from keras_tfm.processors.spectrograms import mel_filters, spectrogram, window


class ClvpFeatureExtractor(FeatureExtractor):
    """Mel spectrograms.

    Options besides those of `FeatureExtractor`:
        default_audio_length: seconds that sounds are filled up or cut to.
        n_fft, hop_length: samples of a frame, and from one to the next.
        mel_norms: what each filter is divided by. Default: nothing.
        chunk_length: has no effect.
    """

    defaults = FeatureExtractor.defaults | {
        "feature_size": 80,
        "sampling_rate": 22050,
        "default_audio_length": 6,
        "hop_length": 256,
        "chunk_length": 30,
        "n_fft": 1024,
        "mel_norms": None,
        "return_attention_mask": False,
    }
    derived = ("n_samples", "nb_max_frames")
    model_input_names = ("input_features", "attention_mask")

    @property
    def n_samples(self):
        """Samples of `chunk_length`."""
        return self.chunk_length * self.sampling_rate

    @property
    def nb_max_frames(self):
        """Frames of `chunk_length`."""
        return self.n_samples // self.hop_length

    def __call__(
        self,
        raw_speech,
        *,
        padding="max_length",
        max_length=None,
        truncation=True,
        pad_to_multiple_of=None,
        return_attention_mask=True,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, M, T), "attention_mask": int32 (B, samples)}.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n).
        max_length: samples that sounds are filled up or cut to; by default those of `default_audio_length`.
        Other options: see `FeatureExtractor`.

        ValueError for sounds of several channels, empty ones and samples that are no numbers; TypeError for no sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        limit = self.default_audio_length * self.sampling_rate if max_length is None else max_length
        rows, mask = self._padded(rows, padding, limit, truncation, pad_to_multiple_of)
        outputs = {"input_features": np.stack([self._log_mels(row) for row in rows])}
        return outputs | ({"attention_mask": mask} if self._asked_for_mask(return_attention_mask) else {})

    def _log_mels(self, waveform):
        frequencies, rate = self.n_fft // 2 + 1, self.sampling_rate
        filters = mel_filters(frequencies, self.feature_size, 0.0, 8000.0, rate, norm="slaney", scale="htk")
        energies = spectrogram(waveform, window(self.n_fft), self.hop_length, filters=filters)
        logarithms = np.log(np.maximum(energies, 1e-5))
        return (logarithms / (1 if self.mel_norms is None else np.array(self.mel_norms))).T.astype(np.float32)

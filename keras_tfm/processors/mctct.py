"""M-CTC-T's feature extractor: logarithmic mel filter banks, normalised over the utterance."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor
from keras_tfm.processors.spectrograms import mel_filters, power_of_two, spectrogram, window
from keras_tfm.processors.speech_to_text import utterance_normalized


class MCTCTFeatureExtractor(FeatureExtractor):
    """Filter banks, each normalised to a mean of 0 and a variance of 1 over its utterance.

    Options besides those of `FeatureExtractor`:
        win_length, hop_length: milliseconds of a frame, and from one to the next.
        win_function: see `spectrograms.window`.
        frame_signal_scale: what samples are multiplied by.
        preemphasis_coeff: what is subtracted of each sample's predecessor.
        mel_floor: the least amplitude.
        normalize_means, normalize_vars: the one and the other part of normalising.
    """

    defaults = FeatureExtractor.defaults | {
        "feature_size": 80,
        "hop_length": 10,
        "win_length": 25,
        "win_function": "hamming_window",
        "frame_signal_scale": 32768.0,
        "preemphasis_coeff": 0.97,
        "mel_floor": 1.0,
        "normalize_means": True,
        "normalize_vars": True,
        "return_attention_mask": False,
    }
    derived = ("sample_size", "sample_stride", "n_fft", "n_freqs")
    model_input_names = ("input_features", "attention_mask")

    @property
    def sample_size(self):
        """Samples of a frame."""
        return self.win_length * self.sampling_rate // 1000

    @property
    def sample_stride(self):
        """Samples from one frame to the next."""
        return self.hop_length * self.sampling_rate // 1000

    @property
    def n_fft(self):
        """Samples that are transformed."""
        return power_of_two(self.sample_size)

    @property
    def n_freqs(self):
        """Frequencies of a spectrum."""
        return self.n_fft // 2 + 1

    def __call__(
        self,
        raw_speech,
        *,
        padding=True,
        max_length=None,
        truncation=False,
        pad_to_multiple_of=None,
        return_attention_mask=True,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, T, M), "attention_mask": int32 (B, T)}.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n). Lengths of the
            other options are in frames: see `FeatureExtractor`.

        ValueError for sounds of several channels, too short ones and samples that are no numbers; TypeError for no
        sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        banks = [self._log_mels(row) for row in rows]
        if truncation and max_length:
            multiple = pad_to_multiple_of or 1
            banks = [each[: -(-max_length // multiple) * multiple] for each in banks]
        if self.normalize_means or self.normalize_vars:
            banks = [utterance_normalized(each, self.normalize_means, self.normalize_vars) for each in banks]
        features, mask = self._padded(banks, padding, max_length, truncation, pad_to_multiple_of)
        return {"input_features": features, **({"attention_mask": mask} if return_attention_mask else {})}

    def _log_mels(self, waveform):
        energies = spectrogram(
            waveform * np.float32(self.frame_signal_scale),
            window(self.sample_size, self.win_function, periodic=self.win_function != "hamming_window"),
            self.sample_stride,
            power=1,
            filters=mel_filters(self.n_freqs, self.feature_size, 0.0, self.sampling_rate / 2.0, self.sampling_rate),
            floor=self.mel_floor,
            length=self.n_fft,
            center=False,
            preemphasis=self.preemphasis_coeff,
        )
        return np.log(energies).astype(np.float32)

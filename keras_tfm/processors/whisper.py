"""Whisper's feature extractor: logarithmic mel spectrograms of 30 seconds."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor, standardized
from keras_tfm.processors.joint import Processor
from keras_tfm.processors.spectrograms import mel_filters, spectrogram, window


class WhisperFeatureExtractor(FeatureExtractor):
    """Mel spectrograms, in decades; what is 8 of them below the loudest counts as silence.

    Options besides those of `FeatureExtractor`:
        chunk_length: seconds that sounds are filled up or cut to.
        n_fft, hop_length: samples of a frame, and from one to the next.
    """

    defaults = FeatureExtractor.defaults | {
        "feature_size": 80,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
        "return_attention_mask": False,
    }
    derived = ("n_samples", "nb_max_frames")
    model_input_names = ("input_features",)

    @property
    def n_samples(self):
        """Samples of a chunk."""
        return self.chunk_length * self.sampling_rate

    @property
    def nb_max_frames(self):
        """Frames of a chunk."""
        return self.n_samples // self.hop_length

    def __call__(
        self,
        raw_speech,
        *,
        padding="max_length",
        max_length=None,
        truncation=True,
        pad_to_multiple_of=None,
        return_attention_mask=None,
        do_normalize=False,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, M, T)}, and {"attention_mask": int32 (B, T)} if it is asked for.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n).
        max_length: samples that sounds are filled up or cut to; by default those of `chunk_length`.
        do_normalize: the samples to a mean of 0 and a variance of 1 before anything else.
        Other options: see `FeatureExtractor`. Long-form transcription takes padding="longest", truncation=False.

        ValueError for sounds of several channels, empty ones and samples that are no numbers; TypeError for no sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        rows, mask = self._padded(rows, padding, max_length or self.n_samples, truncation, pad_to_multiple_of)
        if do_normalize:
            rows = standardized(rows, mask.sum(1), self.padding_value, self.padding_side)
        features = np.stack([self._log_mels(row) for row in rows])
        outputs = {"input_features": features}
        if self._asked_for_mask(return_attention_mask):
            outputs["attention_mask"] = mask[:, :: self.hop_length][:, : features.shape[2]]
        return outputs

    def _log_mels(self, waveform):
        filters = mel_filters(
            1 + self.n_fft // 2, self.feature_size, 0.0, 8000.0, self.sampling_rate, norm="slaney", scale="slaney"
        )
        energies = spectrogram(waveform, window(self.n_fft), self.hop_length, filters=filters)[:-1]
        decades = np.log10(energies.T)
        return ((np.maximum(decades, decades.max() - 8) + 4) / 4).astype(np.float32)


class WhisperProcessor(Processor):
    """Sounds, and transcripts. See `Processor`."""

    extractor_class = "WhisperFeatureExtractor"
    tokenizer_class = "WhisperTokenizer"

    def get_decoder_prompt_ids(self, task=None, language=None, no_timestamps=True):
        """See `WhisperTokenizer.get_decoder_prompt_ids`."""
        return self.tokenizer.get_decoder_prompt_ids(task=task, language=language, no_timestamps=no_timestamps)

    def get_prompt_ids(self, text):
        """See `WhisperTokenizer.get_prompt_ids`."""
        return self.tokenizer.get_prompt_ids(text)

"""Speech2Text's feature extractor: Kaldi's filter banks, normalised over the utterance."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor
from keras_tfm.processors.joint import Processor
from keras_tfm.processors.spectrograms import kaldi_banks


class Speech2TextFeatureExtractor(FeatureExtractor):
    """Filter banks, each normalised to a mean of 0 and a variance of 1 over its utterance.

    Options besides those of `FeatureExtractor`:
        num_mel_bins: filters, as `feature_size`.
        do_ceptral_normalize: whether to normalise (spelt as in the Hub's files).
        normalize_means, normalize_vars: the one and the other of it.
    """

    defaults = FeatureExtractor.defaults | {
        "feature_size": 80,
        "num_mel_bins": 80,
        "do_ceptral_normalize": True,
        "normalize_means": True,
        "normalize_vars": True,
    }
    model_input_names = ("input_features", "attention_mask")

    def __call__(
        self,
        raw_speech,
        *,
        padding=True,
        max_length=None,
        truncation=False,
        pad_to_multiple_of=None,
        return_attention_mask=None,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, T, M), "attention_mask": int32 (B, T)}.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n), of 400 samples at
            least. Lengths of the other options are in frames: see `FeatureExtractor`.

        ValueError for sounds of several channels, too short ones and samples that are no numbers; TypeError for no
        sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        banks = [kaldi_banks(row * 2**15, self.num_mel_bins, self.sampling_rate) for row in rows]
        if self.do_ceptral_normalize:
            limit = max_length if truncation else None
            if limit and pad_to_multiple_of:
                limit = -(-limit // pad_to_multiple_of) * pad_to_multiple_of
            banks = [utterance_normalized(each[:limit], self.normalize_means, self.normalize_vars) for each in banks]
        features, mask = self._padded(banks, padding, max_length, truncation, pad_to_multiple_of)
        masked = self._asked_for_mask(return_attention_mask)
        return {"input_features": features, **({"attention_mask": mask} if masked else {})}


def utterance_normalized(features, means=True, variances=True):
    """(T, M) -> the same with a mean of 0 and a variance of 1 over the frames. A feature that never changes, as in
    silence, becomes 0."""
    mean, deviation = features.mean(0), features.std(0)
    still = (features == features[:1]).all(0)
    if means:
        features = np.where(still, 0, features - mean)
    return features / np.where(still, 1, deviation) if variances else features


class Speech2TextProcessor(Processor):
    """Sounds, and transcripts. See `Processor`."""

    extractor_class = "Speech2TextFeatureExtractor"
    tokenizer_class = "Speech2TextTokenizer"

"""SeamlessM4T's feature extractor, which Wav2Vec2-BERT uses too: Kaldi's filter banks, several frames in one."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor, sounds
from keras_tfm.processors.images import is_array, to_array
from keras_tfm.processors.spectrograms import kaldi_banks


class SeamlessM4TFeatureExtractor(FeatureExtractor):
    """Filter banks, each normalised to a mean of 0 and a variance of 1, `stride` frames after another as one.

    Options besides those of `FeatureExtractor`: num_mel_bins, filters; stride.
    """

    defaults = FeatureExtractor.defaults | {"feature_size": 80, "num_mel_bins": 80, "stride": 2}
    model_input_names = ("input_features", "attention_mask")

    def __call__(
        self,
        raw_speech,
        *,
        padding=True,
        pad_to_multiple_of=2,
        max_length=None,
        truncation=False,
        return_attention_mask=None,
        do_normalize_per_mel_bins=True,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_features": float32 (B, T / stride, M * stride), "attention_mask": int32 (B, T / stride)}.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n), of 400 samples at
            least. Of sounds of several channels, arrays (C, n) in a list or (B, C, n), the first channel is taken.
        do_normalize_per_mel_bins: whether to normalise.
        Lengths of the other options are in frames: see `FeatureExtractor`.

        ValueError for sounds that are too short and samples that are no numbers; TypeError for no sound.
        """
        rows = self._waveforms(first_channels(raw_speech), sampling_rate, return_tensors)
        banks = [kaldi_banks(row * 2**15, self.num_mel_bins, self.sampling_rate) for row in rows]
        if do_normalize_per_mel_bins:
            banks = map(np.asfortranarray, banks)  # NumPy's sums over time are then pairwise, as the reference's are
            banks = [(x - x.mean(0)) / np.sqrt(x.var(0, ddof=min(1, len(x) - 1)) + 1e-7) for x in banks]
        features, mask = self._padded(banks, padding, max_length, truncation, pad_to_multiple_of)
        whole = features.shape[1] // self.stride * self.stride
        features = features[:, :whole].reshape(len(rows), whole // self.stride, -1)
        masked = self._asked_for_mask(return_attention_mask)
        return {"input_features": features, **({"attention_mask": mask[:, 1 : whole : self.stride]} if masked else {})}


def first_channels(audio):
    """What `FeatureExtractor` takes, or arrays (C, n) in a list, or (B, C, n) -> the same without other channels."""
    if is_array(audio) and audio.ndim == 3:
        return to_array(audio)[:, 0]
    return [each[0] if np.ndim(each) == 2 else each for each in sounds(audio)]

"""AST's feature extractor: Kaldi's filter banks of ten seconds."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor
from keras_tfm.processors.spectrograms import kaldi_banks


class ASTFeatureExtractor(FeatureExtractor):
    """Filter banks, filled up with zeros or cut to one length, normalised.

    Options besides those of `FeatureExtractor`:
        num_mel_bins: filters.
        max_length: frames.
        do_normalize, mean, std: subtract the mean and divide by twice the deviation (AudioSet's by default).
    """

    defaults = FeatureExtractor.defaults | {
        "num_mel_bins": 128,
        "max_length": 1024,
        "do_normalize": True,
        "mean": -4.2677393,
        "std": 4.5689974,
        "return_attention_mask": False,
    }

    def __call__(self, raw_speech, *, sampling_rate=None, return_tensors=None):
        """Sounds -> {"input_values": float32 (B, max_length, M)}.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n), of 400 samples at
            least.
        sampling_rate: of the sounds; ValueError if it is not the model's.

        ValueError for sounds of several channels, too short ones and samples that are no numbers; TypeError for no
        sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        values = np.zeros((len(rows), self.max_length, self.num_mel_bins), np.float32)
        for place, row in zip(values, rows, strict=True):
            banks = kaldi_banks(row, self.num_mel_bins, self.sampling_rate, "hann")[: self.max_length]
            place[: len(banks)] = banks
        if self.do_normalize:
            values = ((values - self.mean) / (self.std * 2)).astype(np.float32)
        return {"input_values": values}

"""Wav2Vec2's feature extractor, which HuBERT, WavLM, SEW, UniSpeech, Data2VecAudio and MMS use too."""

from keras_tfm.processors.features import FeatureExtractor, standardized
from keras_tfm.processors.joint import Processor


class Wav2Vec2FeatureExtractor(FeatureExtractor):
    """Samples, filled up.

    Options besides those of `FeatureExtractor`:
        do_normalize: to a mean of 0 and a variance of 1; of the padding too, unless there is an attention mask.
    """

    defaults = FeatureExtractor.defaults | {"return_attention_mask": False, "do_normalize": True}

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
        """Sounds -> {"input_values": float32 (B, T)}, and {"attention_mask": int32 (B, T)} if it is asked for.

        raw_speech: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n). Other options: see
            `FeatureExtractor`.

        ValueError for sounds of several channels, empty ones and samples that are no numbers; TypeError for no sound.
        """
        rows = self._waveforms(raw_speech, sampling_rate, return_tensors)
        values, mask = self._padded(rows, padding, max_length, truncation, pad_to_multiple_of)
        masked = self._asked_for_mask(return_attention_mask)
        if self.do_normalize:
            lengths = mask.sum(1) if masked else None
            values = standardized(values, lengths, self.padding_value, self.padding_side)
        return {"input_values": values, **({"attention_mask": mask} if masked else {})}


class Wav2Vec2Processor(Processor):
    """Sounds, and texts as letters or phonemes. See `Processor`."""

    extractor_class = "Wav2Vec2FeatureExtractor"

"""SpeechT5's feature extractor: samples to listen to, logarithmic mel spectrograms to learn to speak."""

import numpy as np

from keras_tfm.processors.features import FeatureExtractor, standardized
from keras_tfm.processors.joint import Processor, call_options
from keras_tfm.processors.spectrograms import mel_filters, power_of_two, spectrogram, window


class SpeechT5FeatureExtractor(FeatureExtractor):
    """Samples, and mel spectrograms in decades.

    Options besides those of `FeatureExtractor`:
        do_normalize: the samples to a mean of 0 and a variance of 1.
        num_mel_bins, fmin, fmax: filters, and the frequencies in Hz that they lie between.
        win_length, hop_length: milliseconds of a frame, and from one to the next.
        win_function: see `spectrograms.window`.
        mel_floor: the least amplitude.
        frame_signal_scale, reduction_factor: have no effect.
    """

    defaults = FeatureExtractor.defaults | {
        "do_normalize": False,
        "num_mel_bins": 80,
        "hop_length": 16,
        "win_length": 64,
        "win_function": "hann_window",
        "frame_signal_scale": 1.0,
        "fmin": 80,
        "fmax": 7600,
        "mel_floor": 1e-10,
        "reduction_factor": 2,
    }

    def __call__(
        self,
        audio=None,
        audio_target=None,
        *,
        padding=True,
        max_length=None,
        truncation=False,
        pad_to_multiple_of=None,
        return_attention_mask=None,
        sampling_rate=None,
        return_tensors=None,
    ):
        """Sounds -> {"input_values": float32 (B, T), "attention_mask": int32 (B, T)}, and those to be spoken ->
        {"labels": float32 (B, frames, M), "decoder_attention_mask": int32 (B, frames)}.

        audio, audio_target: an array or tensor (n,), a list of numbers, a list of those, or an array (B, n). Without
            `audio`, the spectrograms of `audio_target` are called input_values and attention_mask.
        Other options, lengths in samples and in frames: see `FeatureExtractor`.

        ValueError for sounds of several channels, empty ones and samples that are no numbers; TypeError for no sound.
        """
        if audio is None and audio_target is None:
            raise ValueError("pass audio, audio_target or both")
        options = (padding, max_length, truncation, pad_to_multiple_of)
        masked, outputs = self._asked_for_mask(return_attention_mask), {}
        if audio is not None:
            rows = self._waveforms(audio, sampling_rate, return_tensors)
            values, mask = self._padded(rows, *options)
            if self.do_normalize:
                lengths = mask.sum(1) if masked else None
                values = standardized(values, lengths, self.padding_value, self.padding_side)
            outputs = {"input_values": values, **({"attention_mask": mask} if masked else {})}
        if audio_target is not None:
            rows = self._waveforms(audio_target, sampling_rate, return_tensors)
            values, mask = self._padded([self._log_mels(row) for row in rows], *options)
            names = ("labels", "decoder_attention_mask") if outputs else ("input_values", "attention_mask")
            outputs |= {names[0]: values, **({names[1]: mask} if masked else {})}
        return outputs

    def _log_mels(self, waveform):
        frame, hop = (each * self.sampling_rate // 1000 for each in (self.win_length, self.hop_length))
        length = power_of_two(frame)
        filters = mel_filters(
            length // 2 + 1, self.num_mel_bins, self.fmin, self.fmax, self.sampling_rate, norm="slaney", scale="slaney"
        )
        shape = window(frame, self.win_function)
        amplitudes = spectrogram(waveform, shape, hop, 1, filters, self.mel_floor, length=length)
        return np.log10(amplitudes).astype(np.float32)


class SpeechT5Processor(Processor):
    """Sounds and texts, to hear or read, and to speak or write. See `Processor`."""

    extractor_class = "SpeechT5FeatureExtractor"
    tokenizer_class = "SpeechT5Tokenizer"

    def __call__(self, audio=None, text=None, *, audio_target=None, text_target=None, **options):
        """A sound or a text -> what its part makes of it; a target -> the same, or with one of the former {"labels",
        "decoder_attention_mask"}.

        ValueError for a sound and a text, for two targets, or for none of all; TypeError for an option that nobody has.
        """
        there = [value is not None for value in (audio, text, audio_target, text_target)]
        if all(there[:2]) or all(there[2:]):
            raise ValueError("pass audio or text, and audio_target or text_target: not two of a pair")
        if not any(there):
            raise ValueError("pass audio, text, audio_target or text_target")
        self._check_options(options)
        inputs = self._made(self.feature_extractor, audio, options) if text is None else self._read(text, options)
        if audio_target is not None:
            heard = {key: value for key, value in options.items() if key in call_options(self.feature_extractor)}
            targets = self.feature_extractor(audio_target=audio_target, **heard)
        else:
            targets = self._read(text_target, options)
        return with_targets(inputs, targets)

    def pad(self, *, input_values=None, input_ids=None, labels=None, **options):
        """Rows that are padded later: samples or ids, and labels, which are rows with `input_ids` of texts or with
        `input_values`, spectrograms (frames, M), of sounds."""
        if input_values is not None and input_ids is not None:
            raise ValueError("pass input_values or input_ids, not both")
        if input_values is None and input_ids is None and labels is None:
            raise ValueError("pass input_values, input_ids or labels")
        inputs = targets = None
        if input_values is not None:
            inputs = self.feature_extractor.pad(input_values, **options)
        elif input_ids is not None:
            inputs = self.tokenizer.pad(input_ids, **options)
        if labels is not None:
            written = "input_ids" in (labels if isinstance(labels, dict) else labels[0])
            targets = (self.tokenizer if written else self.feature_extractor).pad(labels, **options)
        return with_targets(inputs, targets)


def with_targets(inputs, targets):
    """Inputs, and what their labels are, in one dict; or whichever there is."""
    if inputs is None or targets is None:
        return targets if inputs is None else inputs
    labels = targets["input_ids"] if "input_ids" in targets else targets["input_values"]
    masks = {"decoder_attention_mask": targets["attention_mask"]} if "attention_mask" in targets else {}
    return inputs | {"labels": labels} | masks

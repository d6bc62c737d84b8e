"""What all feature extractors share: preprocessor_config.json in, sounds to NumPy arrays, filled up to one length.

Shapes: B sounds, n samples, T samples or frames of the longest, M features of a frame.
"""

import numpy as np

from keras_tfm.processors.audio import waveform
from keras_tfm.processors.images import is_array, to_array
from keras_tfm.processors.preset import Preprocessor
from keras_tfm.tokenizers.batch import PADDING, SIDES, strategy


class FeatureExtractor(Preprocessor):
    """Sounds to arrays.

    Options, for the class and for `from_preset`:
        feature_size: features of a frame, 1 where the frames are samples.
        sampling_rate: samples a second that the model wants.
        padding_value, padding_side: what shorter sounds are filled up with, "right" or "left" of them.
        return_attention_mask: whether a call tells what is sound (1) and what padding (0).

    Options of a call, where the class has them:
        padding: True or "longest" (the default), "max_length", or False, a ValueError where the lengths differ.
        max_length, truncation: what "max_length" fills up to, and with `truncation` longer sounds are cut to.
        pad_to_multiple_of: the length is filled up to, or cut at, a multiple of this.
        return_attention_mask: as above.
        sampling_rate: of the sounds; ValueError if it is not the model's. (`load_audio` resamples.)
    """

    defaults = {
        "feature_size": 1,
        "sampling_rate": 16000,
        "padding_value": 0.0,
        "padding_side": "right",
        "return_attention_mask": True,
    }
    kind = "feature_extractor"
    computed = ("mel_filters", "mel_filters_slaney", "window")
    model_input_names = ("input_values", "attention_mask")

    def pad(
        self,
        features,
        *,
        padding=True,
        max_length=None,
        truncation=False,
        pad_to_multiple_of=None,
        return_attention_mask=None,
        return_tensors=None,
    ):
        """Rows of several lengths -> a dict of arrays (B, T, ...), and with it the attention mask.

        features: a list of dicts, one a row, or a dict of lists, with the key `model_input_names[0]`. Other options:
        see the class.
        """
        check_return_tensors(return_tensors)
        name = self.model_input_names[0]
        if not isinstance(features, dict):
            features = {key: [row[key] for row in features] for key in (features[0] if features else ())}
        if name not in features:
            raise ValueError(f"pad needs {name}, got {', '.join(features) or 'nothing'}")
        rows = [np.asarray(to_array(row), np.float32) for row in features[name]]
        given = [np.asarray(to_array(row), np.int32) for row in features.get("attention_mask", ())] or None
        padded, mask = self._padded(rows, padding, max_length, truncation, pad_to_multiple_of, given)
        others = {key: np.asarray(value) for key, value in features.items() if key not in (name, "attention_mask")}
        wanted = given is not None or self._asked_for_mask(return_attention_mask)
        return {name: padded, **others, **({"attention_mask": mask} if wanted else {})}

    def _asked_for_mask(self, asked):
        return self.return_attention_mask if asked is None else asked

    def _padded(self, rows, padding=True, max_length=None, truncation=False, multiple=None, masks=None):
        """Arrays (T, ...) of several lengths -> one float32 array (B, T, ...) and int32 (B, T), 1 where they are."""
        padding = strategy(padding, PADDING, "padding")
        side = strategy(self.padding_side, SIDES, "padding_side")
        if max_length is None and (truncation or padding == "max_length"):
            raise ValueError(f"{'truncation' if truncation else 'padding'} needs max_length")
        if max_length is not None and multiple:
            max_length = -(-max_length // multiple) * multiple
        masks = masks or [np.ones(len(row), np.int32) for row in rows]
        if truncation:
            rows, masks = [row[:max_length] for row in rows], [mask[:max_length] for mask in masks]
        lengths = [len(row) for row in rows]
        length = max(lengths)
        if padding is None and length != min(lengths):
            raise ValueError(
                f"the sounds have lengths of {min(lengths)} to {length}, but arrays are rectangular: use padding=True, "
                "or process them one by one"
            )
        if padding == "max_length":
            if length > max_length:
                raise ValueError(f"a sound has the length {length}, more than max_length={max_length}: truncation=True")
            length = max_length
        if padding and multiple:
            length = -(-length // multiple) * multiple
        batch = np.full((len(rows), length, *rows[0].shape[1:]), self.padding_value, np.float32)
        filled = np.zeros((len(rows), length), np.int32)
        for i, (row, mask) in enumerate(zip(rows, masks, strict=True)):
            place = slice(length - len(row), None) if side == "left" else slice(len(row))
            batch[i, place], filled[i, place] = row, mask
        return batch, filled

    def _waveforms(self, audio, sampling_rate=None, return_tensors=None):
        """What a call gets -> a list of arrays float32 (n,)."""
        check_return_tensors(return_tensors)
        self._check_rate(sampling_rate)
        return [waveform(each) for each in sounds(audio)]

    def _check_rate(self, sampling_rate):
        if sampling_rate is not None and sampling_rate != self.sampling_rate:
            raise ValueError(
                f"the sound has {sampling_rate} samples a second and the model wants {self.sampling_rate}: "
                f"load it with keras_tfm.processors.load_audio(source, {self.sampling_rate}), which resamples"
            )


def sounds(audio):
    """A sound, a list of sounds or an array (B, n) -> a list of sounds; ValueError for none, or too many axes."""
    audio = to_array(audio) if is_array(audio) else audio
    if isinstance(audio, np.ndarray):
        if audio.ndim > 2:
            raise ValueError(f"sounds of one channel are an array (n,) or (B, n): got the shape {audio.shape}")
        audio = list(audio) if audio.ndim == 2 else [audio]
    elif not isinstance(audio, list | tuple) or not len(audio) or np.isscalar(audio[0]):
        audio = [audio]
    if not audio:
        raise ValueError("an empty batch: pass at least one sound")
    return audio


def check_return_tensors(return_tensors):
    if return_tensors not in (None, "np"):
        raise ValueError("feature extractors return NumPy arrays, which the models take on every backend")


def standardized(batch, lengths=None, fill=0.0, side="right"):
    """Each row of (B, T), or of (B, T, 1), with a mean of 0 and a variance of 1.

    lengths: how many of its samples count; the others become `fill`. Default: all.
    """
    result = np.full_like(batch, fill)
    for i, row in enumerate(batch):
        count = len(row) if lengths is None else lengths[i]
        place = slice(len(row) - count, None) if side == "left" else slice(count)
        result[i, place] = (row[place] - row[place].mean()) / np.sqrt(row[place].var() + 1e-7)
    return result

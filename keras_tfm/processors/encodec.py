"""EnCodec's feature extractor, which MusicGen uses too: samples of one channel or two."""

import numpy as np

from keras_tfm.processors.audio import checked
from keras_tfm.processors.features import FeatureExtractor, check_return_tensors
from keras_tfm.processors.images import is_array, to_array


class EncodecFeatureExtractor(FeatureExtractor):
    """Samples, filled up to whole chunks.

    Options besides those of `FeatureExtractor`:
        feature_size: channels, 1 or 2.
        chunk_length_s, overlap: seconds of a chunk, and the part of it that the next repeats. Default: no chunks.
    """

    defaults = FeatureExtractor.defaults | {"sampling_rate": 24000, "chunk_length_s": None, "overlap": None}
    model_input_names = ("input_values", "padding_mask")

    @property
    def chunk_length(self):
        """Samples of a chunk; None without chunks."""
        return None if self.chunk_length_s is None else int(self.chunk_length_s * self.sampling_rate)

    @property
    def chunk_stride(self):
        """Samples from one chunk to the next; None without chunks."""
        if self.chunk_length_s is None or self.overlap is None:
            return None
        return max(1, int((1.0 - self.overlap) * self.chunk_length))

    def __call__(
        self, raw_audio, *, padding=None, truncation=False, max_length=None, sampling_rate=None, return_tensors=None
    ):
        """Sounds -> {"input_values": float32 (B, C, T), "padding_mask": int32 (B, T), 1 where there is sound}.

        raw_audio: an array or tensor (n,) or (2, n), as `feature_size` says, a list of numbers, or a list of those.
        padding: True (the default), "max_length" or False, which gives no padding_mask.
        truncation: to `max_length`, or where there are chunks to as many whole ones as the shortest sound has.

        ValueError for other channels, empty sounds and samples that are no numbers, or where padding and truncation are
        both asked for.
        """
        self._check_rate(sampling_rate)
        check_return_tensors(return_tensors)
        if padding and truncation:
            raise ValueError("ask for padding or for truncation, not for both")
        padding = True if padding is None else padding
        rows = self._channels(raw_audio)
        if self.chunk_stride is not None and max_length is None and (padding or truncation):
            lengths = [len(row) for row in rows]
            steps = min(lengths) // self.chunk_stride if truncation else -(-max(lengths) // self.chunk_stride)
            max_length = (steps - 1) * self.chunk_stride + self.chunk_length
            padding = padding if truncation else "max_length"
        values, mask = self._padded(rows, padding, max_length, truncation)
        return {"input_values": values.transpose(0, 2, 1), **({"padding_mask": mask} if padding else {})}

    def _channels(self, audio):
        """What a call gets -> a list of arrays float32 (n, C)."""
        audio = to_array(audio) if is_array(audio) else audio
        batched = isinstance(audio, list | tuple) and len(audio) and not np.isscalar(audio[0])
        rows = []
        for each in audio if batched else [audio]:
            row = np.asarray(to_array(each), np.float32)
            row = row[None] if row.ndim == 1 else row
            if row.ndim != 2 or len(row) != self.feature_size:
                raise ValueError(
                    f"sounds of {self.feature_size} channels are arrays "
                    + ("(n,)" if self.feature_size == 1 else f"({self.feature_size}, n)")
                    + f", several in a list: got the shape {np.shape(each)}"
                )
            rows.append(checked(row).T)
        return rows

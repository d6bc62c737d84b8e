"""SpeechT5's tokenizer: the characters of a text, as SentencePiece normalises them."""

import itertools

from keras_tfm.tokenizers.base import ONE_CALL, Tokenizer
from keras_tfm.tokenizers.frames import joint_frame
from keras_tfm.tokenizers.sentencepiece import read_model, spaced_decoder
from keras_tfm.tokenizers.slow import Pieces, SlowTokenizer, slow_backend
from keras_tfm.tokenizers.spoken_numbers import to_words


class SpeechT5Tokenizer(SlowTokenizer):
    """Characters, with `A </s>` and `A B </s>`.

    Options besides those of `Tokenizer`: `normalize` (default False), also of a call: write numbers out in English.
    """

    vocab_files = ("spm_char.model",)
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "normalize": False,
    }
    model_input_names = ("input_ids", "attention_mask")
    _numbers_out = None  # what a call says

    @classmethod
    def build(cls, files, config):
        model = read_model(files["spm_char.model"])
        vocab = {piece: index for index, piece in enumerate(model.pieces)}
        return slow_backend(vocab, Pieces(model.splitter()), joint_frame, config)

    @property
    def normalize(self):
        """Whether numbers are written out."""
        return self.config["normalize"]

    def __call__(self, text=None, text_pair=None, *, normalize=None, **options):
        with ONE_CALL:
            self._numbers_out = normalize
            try:
                return super().__call__(text, text_pair, **options)
            finally:
                self._numbers_out = None

    __call__.__doc__ = f"{Tokenizer.__call__.__doc__}\n        normalize: as for the class."

    def join(self, tokens):
        decoder, special = spaced_decoder(strips=True), self.all_special_tokens
        runs = [(apart, list(run)) for apart, run in itertools.groupby(tokens, special.__contains__)]
        texts = ["".join(run) if apart else f" {decoder.decode(run)}" for apart, run in runs]
        if len(runs) > 1 and not runs[-1][0]:  # a space stands only before what special tokens follow
            texts[-1] = texts[-1][1:]
        return "".join(texts).strip()

    join.__doc__ = SlowTokenizer.join.__doc__

    def _encode(self, rows, *arguments, **options):
        wanted = self.normalize if self._numbers_out is None else self._numbers_out
        return super()._encode(spelled_out(rows) if wanted else rows, *arguments, **options)


def spelled_out(texts):
    """Texts, or whatever lists or tuples are made of them, with numbers written out."""
    return to_words(texts) if isinstance(texts, str) else type(texts)(spelled_out(text) for text in texts)

"""Wav2Vec2's processor with a language model, by the optional package pyctcdecode: likely words, not only letters."""

from pathlib import Path

import numpy as np

from keras_tfm.processors.images import to_array
from keras_tfm.processors.wav2vec2 import Wav2Vec2Processor
from keras_tfm.tokenizers.slow import imported

WEIGHTS = ("alpha", "beta", "unk_score_offset", "lm_score_boundary")  # of the language model
SEARCH = ("beam_width", "beam_prune_logp", "token_min_logp", "hotwords", "hotword_weight")
PADDING = -100.0  # the logits of no frame


class Wav2Vec2ProcessorWithLM(Wav2Vec2Processor):
    """Sounds, and logits as texts. See `Processor`; a preset has alphabet.json, and language_model/ with a kenlm model.

    Arguments: feature_extractor, tokenizer; decoder, a `pyctcdecode.BeamSearchDecoderCTC`.

    ValueError for a decoder whose alphabet lacks tokens of the tokenizer. pyctcdecode asks for a NumPy before 2, and
    works with later ones: pip install --no-deps pyctcdecode pygtrie kenlm; pip install hypothesis.
    """

    tokenizer_class = "Wav2Vec2CTCTokenizer"

    def __init__(self, feature_extractor, tokenizer, decoder):
        super().__init__(feature_extractor, tokenizer)
        if missing := missing_tokens(decoder, tokenizer):
            raise ValueError(f"the decoder's alphabet lacks {', '.join(sorted(missing))}, which the tokenizer has")
        self.decoder = decoder

    @classmethod
    def from_preset(cls, source, *, alpha=None, beta=None, unk_score_offset=None, lm_score_boundary=None, **options):
        """As `Processor.from_preset`; alpha, beta, unk_score_offset, lm_score_boundary: see `decode`.

        ImportError without pyctcdecode, FileNotFoundError without alphabet.json.
        """
        from keras_tfm.presets.io.hub import LOCATION, open_preset

        decoders = imported("pyctcdecode", "pyctcdecode", cls.__name__).BeamSearchDecoderCTC
        preset = open_preset(source, **{key: value for key, value in options.items() if key in LOCATION})
        folder = Path(preset.require("alphabet.json")).parent
        for name in preset.folder("language_model"):
            preset.require(f"language_model/{name}")
        parts = Wav2Vec2Processor.from_preset(source, **options)
        processor = cls(parts.feature_extractor, parts.tokenizer, decoders.load_from_dir(str(folder)))
        weights = zip(WEIGHTS, (alpha, beta, unk_score_offset, lm_score_boundary), strict=True)
        processor.decoder.reset_params(**dict(weights))
        return processor

    from_pretrained = from_preset

    def save_preset(self, folder):
        """Write the files of all three into `folder` (made if need be)."""
        super().save_preset(folder)
        self.decoder.save_to_dir(str(folder))

    save_pretrained = save_preset

    def decode(self, logits, *, n_best=1, output_word_offsets=False, **options):
        """Logits (T, K) -> {"text", "logit_score", "lm_score"}, and {"word_offsets": [{"word", "start_offset",
        "end_offset"}]} in frames if asked for.

        n_best: how many texts, best first; more than one make each value a list.
        options: beam_width, beam_prune_logp, token_min_logp, hotwords, hotword_weight of the search, and alpha, beta,
            unk_score_offset, lm_score_boundary of the language model, which stay as they were set: see pyctcdecode's
            `decode_beams` and `reset_params`. TypeError for others.
        """
        for name in options:
            if name not in (*WEIGHTS, *SEARCH):
                raise TypeError(f"decode has no option {name!r}; it has {', '.join((*SEARCH, *WEIGHTS))}")
        self.decoder.reset_params(**{name: options.get(name) for name in WEIGHTS})
        search = {name: options[name] for name in SEARCH if options.get(name) is not None}
        beams = self.decoder.decode_beams(to_array(logits), **search)[:n_best]
        outputs = {
            "text": [beam[0] for beam in beams],
            "logit_score": [float(beam[-2]) for beam in beams],
            "lm_score": [float(beam[-1]) for beam in beams],
        }
        if output_word_offsets:
            outputs["word_offsets"] = [
                [{"word": word, "start_offset": start, "end_offset": end} for word, (start, end) in beam[2]]
                for beam in beams
            ]
        return {key: values[0] for key, values in outputs.items()} if n_best == 1 else outputs

    def batch_decode(self, logits, **options):
        """`decode` for every row of (B, T, K), or of a list, frames of -100 left out: a dict of lists."""
        rows = [np.asarray(to_array(row)) for row in logits]
        made = [self.decode(row[(row != PADDING).all(-1)], **options) for row in rows]
        return {key: [each[key] for each in made] for key in (made[0] if made else ())}


def missing_tokens(decoder, tokenizer):
    """What the tokenizer has and the decoder's alphabet lacks, as the latter spells it."""
    alphabet = imported("pyctcdecode.alphabet", "pyctcdecode", "Wav2Vec2ProcessorWithLM")

    def spelled(token):
        if alphabet.BLANK_TOKEN_PTN.match(token):
            return ""
        if alphabet.UNK_TOKEN_PTN.match(token):
            return alphabet.UNK_TOKEN
        return " " if token == tokenizer.word_delimiter_token else token

    return {spelled(token) for token in tokenizer.get_vocab()} - {*decoder._alphabet.labels}

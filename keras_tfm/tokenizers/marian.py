"""Marian's tokenizer, that of the OPUS-MT models: one SentencePiece model for each side of a translation."""

import re

from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import joint_frame
from keras_tfm.tokenizers.sentencepiece import joined_pieces, read_model
from keras_tfm.tokenizers.slow import Pieces, SlowTokenizer, Splitter, slow_backend

LANGUAGE = re.compile(">>.+<<")


class MarianTokenizer(SlowTokenizer):
    """SentencePiece with `A </s>` and `A B </s>`; `>>fr<<` at the beginning of a text asks for that language.

    Options besides those of `Tokenizer`: `separate_vocabs` (default False; True: what the model writes has ids of its
    own, those of target_vocab.json), `source_lang` and `target_lang`, which are only noted. `model_max_length` is 512
    by default.
    """

    defaults = {
        "unk_token": "<unk>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "source_lang": None,
        "target_lang": None,
        "model_max_length": 512,
        "separate_vocabs": False,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def vocab_files_for(cls, config):
        separate = ["target_vocab.json"] if config["separate_vocabs"] else []
        return ("source.spm", "target.spm", "vocab.json", *separate)

    @classmethod
    def build(cls, files, config):
        unknown = config["unk_token"]
        source, target = (Side(Pieces(read_model(files[name]).splitter())) for name in ("source.spm", "target.spm"))
        vocab = read_vocab(files["vocab.json"], unknown, config["eos_token"], config["pad_token"])
        written = read_vocab(files["target_vocab.json"], unknown) if config["separate_vocabs"] else vocab
        backend = slow_backend(vocab, source, joint_frame, config)
        backend.target, backend.written = Splitter(target, written, unknown), written
        return backend

    @property
    def supported_language_codes(self):
        """The tokens `>>fr<<` and the like, with which a text can begin."""
        return [] if self.config["separate_vocabs"] else list(filter(LANGUAGE.fullmatch, self.backend.get_vocab(False)))

    def join(self, tokens):
        return joined_pieces(tokens, self.all_special_tokens, gap=" ").replace("\u2581", " ").strip()

    join.__doc__ = SlowTokenizer.join.__doc__


class Side:
    """Text -> pieces, with the language that it asks for in front."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __call__(self, text):
        asked = LANGUAGE.match(text)
        return [*([asked[0]] if asked else []), *self.pieces(LANGUAGE.sub("", text))]

"""SentencePiece: `.model` files as the `tokenizers` library runs them.

The file is a Protocol Buffers message. Its few fields are read here, so that nothing has to be installed for it: the
class that the sentencepiece package comes with refuses every older protobuf than the one it was generated with.
"""

import itertools
import re
import struct
from dataclasses import dataclass

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

UNIGRAM, BPE, CHARACTERS = 1, 2, 4
UNKNOWN, CONTROL, USER_DEFINED, BYTE = 2, 3, 4, 6
SPACES = [normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "\u2581")]


@dataclass
class SentencePieceModel:
    """What a `.model` file says: `pieces` with `scores` and `kinds`, the algorithm, and how to normalise.

    `keeps_spaces`: runs of spaces and spaces at the ends of a text stay.
    """

    path: object
    pieces: list
    scores: list
    kinds: list
    algorithm: int
    unk_id: int
    byte_fallback: bool
    charsmap: bytes
    keeps_spaces: bool

    @property
    def vocab(self):
        """[(piece, score)], in the order of the ids."""
        return list(zip(self.pieces, self.scores, strict=True))

    @property
    def symbols(self):
        """The user-defined pieces: they are tokens wherever they occur, though no merges make them."""
        return [piece for piece, kind in zip(self.pieces, self.kinds, strict=True) if kind == USER_DEFINED]

    def backend(self, vocab=None, unk_id=None, before=()):
        """A `tokenizers.Tokenizer` without a post-processor.

        vocab: [(piece, score)] by id, where the ids are not the file's; `unk_id` is then the unknown token's.
        before: normalizers that come before the file's own.
        """
        backend = self._backend(vocab, unk_id, before, SPACES)
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
        if self._split_symbols():
            parts = [pre_tokenizers.Metaspace(split=False), *self._split_symbols()]
            backend.pre_tokenizer = pre_tokenizers.Sequence(parts)
        backend.decoder = decoders.Metaspace()
        if self.byte_fallback:
            backend.decoder = decoders.Sequence([decoders.ByteFallback(), backend.decoder])
        return backend

    def splitter(self):
        """As `backend`, for the pieces of texts, which control symbols are never among, but not for their ids."""
        vocab = [pair for pair, kind in zip(self.vocab, self.kinds, strict=True) if kind != CONTROL]
        return self.backend(vocab, [piece for piece, _ in vocab].index(self.pieces[self.unk_id]))

    def spaced_backend(self, prefix, *, vocab=None, before=()):
        """As `backend`, for decoders: pieces go across words, and where the file says so every space is kept.

        prefix: what gets a space before it, "always" each stretch of text between added tokens, "first" only the
        beginning of the text, "never" nothing.
        """
        spaces = [] if self.keeps_spaces else [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
        spaces.append(normalizers.Replace(" ", "\u2581"))
        if prefix == "always":
            spaces.append(normalizers.Prepend("\u2581"))
        backend = self._backend(vocab, None, before, spaces)
        parts = self._split_symbols()
        if prefix == "first":  # a plain space, as Metaspace adds none to a text that begins with what it adds
            first = pre_tokenizers.Metaspace(" ", prepend_scheme="first", split=False)
            parts = [first, pre_tokenizers.Metaspace(prepend_scheme="never", split=False), *parts]
        if parts:
            backend.pre_tokenizer = pre_tokenizers.Sequence(parts)
        backend.decoder = spaced_decoder(strips=prefix != "never")
        return backend

    def _backend(self, vocab, unk_id, before, after):
        """The model with its normalizers: `before`, the file's own, `after`."""
        vocab = self.vocab if vocab is None else vocab
        unk_id = self.unk_id if unk_id is None else unk_id
        build = self._unigram if self.algorithm == UNIGRAM else self._bpe  # characters are not merged
        try:
            backend = Backend(build(vocab, unk_id))
            charsmap = self._charsmap()
        except Exception as error:  # the backend raises no narrower type
            raise ValueError(f"{self.path} is damaged: {error}. Fetch it again.") from error
        backend.normalizer = normalizers.Sequence([*before, *charsmap, *after])
        return backend

    def _split_symbols(self):
        """The pre-tokenizers that find the symbols; unigrams find them by their scores."""
        if self.algorithm == UNIGRAM or not self.symbols:
            return []
        symbols = Regex("|".join(map(re.escape, sorted(self.symbols, key=len, reverse=True))))
        return [pre_tokenizers.Split(symbols, "isolated")]

    def _charsmap(self):
        """The file's normalisation. SentencePiece replaces the longest match, the library one letter with all its marks
        or else each character; where the map composes letters and marks, they are therefore composed first."""
        if not self.charsmap:
            return []
        charsmap = normalizers.Precompiled(self.charsmap)
        composes = charsmap.normalize_str("e\u0301") == "\u00e9"
        return [normalizers.NFC(), charsmap] if composes else [charsmap]

    def _unigram(self, vocab, unk_id):
        return models.Unigram(vocab, unk_id, byte_fallback=self.byte_fallback)

    def _bpe(self, vocab, unk_id):
        ids = {piece: index for index, (piece, _) in enumerate(vocab)}
        unk_token = vocab[unk_id][0]
        options = {"unk_token": unk_token, "fuse_unk": True, "byte_fallback": self.byte_fallback}
        apart = {piece for piece, kind in zip(self.pieces, self.kinds, strict=True) if kind in (UNKNOWN, CONTROL, BYTE)}
        pairs = merges([(piece, score) for piece, score in vocab if piece not in apart])
        return models.BPE(ids, pairs, ignore_merges=bool(self.symbols), **options)


def merges(vocab):
    """[(piece, score)] -> [(left, right)] of every piece that two others make, those of the highest scores first."""
    ids = {piece: index for index, (piece, _) in enumerate(vocab)}
    return [
        pair
        for piece, _ in sorted(vocab, key=lambda item: -item[1])
        for pair in sorted(
            ((piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in ids and piece[i:] in ids),
            key=lambda pair: (ids[pair[0]], ids[pair[1]]),
        )
    ]


def spaced_decoder(strips):
    """Pieces to text, bytes to characters; `strips` takes away the space that was put before the text."""
    parts = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*parts, decoders.Strip(" ", left=1)] if strips else parts)


def joined_pieces(tokens, special, gap=""):
    """The text of pieces and special tokens, each of which `gap` follows."""
    decoder, text = spaced_decoder(strips=True), ""
    for apart, group in itertools.groupby(tokens, {*special}.__contains__):
        run = list(group)
        text += "".join(token + gap for token in run) if apart else decoder.decode(run)
    return text.strip()


def read_model(path):
    """A `.model` file -> SentencePieceModel; ValueError if it is damaged or splits into words."""
    try:  # the numbers are those of SentencePiece's sentencepiece_model.proto
        message = read_fields(path.read_bytes())
        pieces = [read_fields(piece) for piece in message[1]]
        trainer, normalizer = (read_fields(message[number][-1]) for number in (2, 3))
        model = SentencePieceModel(
            path=path,
            pieces=[piece[1][-1].decode() for piece in pieces],
            scores=[struct.unpack("<f", piece.get(2, [bytes(4)])[-1])[0] for piece in pieces],
            kinds=[piece.get(3, [1])[-1] for piece in pieces],
            algorithm=trainer.get(3, [UNIGRAM])[-1],
            unk_id=trainer.get(40, [0])[-1],
            byte_fallback=bool(trainer.get(35, [0])[-1]),
            charsmap=normalizer.get(2, [b""])[-1],
            keeps_spaces=not normalizer.get(4, [1])[-1],
        )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error) as error:
        raise ValueError(f"{path} is damaged or no SentencePiece model ({error!r}). Fetch it again.") from error
    if model.algorithm not in (UNIGRAM, BPE, CHARACTERS):
        raise ValueError(f"{path} splits into words; only unigram, BPE and character models can be read.")
    return model


def read_fields(data):
    """A message -> {field number: [values]}: ints, bytes of strings and messages, 4 or 8 bytes of numbers."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = read_varint(data, at)
        elif kind in (1, 2, 5):
            size, at = read_varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"no field begins at byte {at}")
        fields.setdefault(tag >> 3, []).append(value)
    if at > len(data):
        raise ValueError("it ends early")
    return fields


def read_varint(data, at):
    """The integer at a position, in groups of seven bits, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at

"""Tokenizers whose way from text to tokens is Python: those that the reference has no fast class for.

A `tokenizers.Tokenizer` still holds the vocabulary, finds the added tokens, truncates and frames; what lies between
the added tokens goes through a function from text to tokens.
"""

import copy
import importlib
import itertools
import math
import re
from contextlib import contextmanager, nullcontext

from tokenizers import Token, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from keras_tfm.tokenizers.base import ONE_CALL, Tokenizer
from keras_tfm.tokenizers.files import read_text


class PythonBackend:
    """A `tokenizers.Tokenizer` with a pre-tokenizer in Python, which the library could neither copy nor store.

    pre_tokenizer: an object with `pre_tokenize(pretok)` that can be copied; `stand_in`: takes its place in copies and
    in tokenizer.json.

    `target`: a pre-tokenizer for what a model is to write, where that is split otherwise; `written`: {token: id}, where
    it has ids of its own.
    """

    target = written = None

    def __init__(self, backend, pre_tokenizer, stand_in=None):
        self.backend, self.python, self.stand_in = backend, pre_tokenizer, stand_in
        self._attach()

    def _attach(self):
        self.backend.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(self.python)

    @contextmanager
    def _detached(self):
        with ONE_CALL:
            self.backend.pre_tokenizer = self.stand_in or pre_tokenizers.Sequence([])
            try:
                yield self.backend
            finally:
                self._attach()

    @contextmanager
    def instead(self, pre_tokenizer):
        """Within it another one is used."""
        with ONE_CALL:
            usual, self.python = self.python, pre_tokenizer
            self._attach()
            try:
                yield
            finally:
                self.python = usual
                self._attach()

    @property
    def post_processor(self):
        return self.backend.post_processor

    @post_processor.setter
    def post_processor(self, processor):
        self.backend.post_processor = processor

    def to_str(self, pretty=False):
        with self._detached() as backend:
            return backend.to_str(pretty=pretty)

    def __getattr__(self, name):
        if name.startswith("__"):  # of copying, before there is a backend
            raise AttributeError(name)
        return getattr(self.backend, name)

    def __getstate__(self):
        with self._detached() as backend:
            return {**self.__dict__, "backend": copy.deepcopy(backend)}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._attach()


class Splitter:
    """A pre-tokenizer that does the model's work too: tokens outside the vocabulary keep their spelling."""

    def __init__(self, split, vocab, unk_token):
        self.split, self.vocab, self.unknown = split, vocab, vocab[unk_token]

    def pre_tokenize(self, pretok):
        pretok.tokenize(lambda text: [Token(self.vocab.get(t, self.unknown), t, (0, 0)) for t in self.split(text)])


class SlowTokenizer(Tokenizer):
    """A `Tokenizer` whose `build` returns a `slow_backend`; it reads and writes vocabulary files, no tokenizer.json.

    Asking for offsets or word ids is a ValueError: normalised text cannot be traced back to where it came from.
    `lower_case_option` names the option that has all text lower-cased, which turns `</S>` into the token `</s>`.
    """

    stores_backend = knows_offsets = False
    lower_case_option = None

    def join(self, tokens):
        """The text of some tokens of the vocabulary."""
        return " ".join(tokens)

    def __call__(self, text=None, text_pair=None, *, return_offsets_mapping=False, return_word_ids=False, **options):
        if return_offsets_mapping or return_word_ids:
            asked = "return_offsets_mapping" if return_offsets_mapping else "return_word_ids"
            raise ValueError(f"{type(self).__name__} does not know which characters a token came from: drop {asked}.")
        output = super().__call__(text, text_pair, **options)
        if "token_type_ids" in output and not options.get("add_special_tokens", True):
            output["token_type_ids"][:] = 0  # only the special tokens tell a text from its pair
        return output

    __call__.__doc__ = Tokenizer.__call__.__doc__

    @contextmanager
    def as_target_tokenizer(self):
        """Within it texts are encoded as `text_target` is; for most tokenizers that makes no difference."""
        with self.backend.instead(self.backend.target) if self.backend.target else nullcontext():
            yield

    def _note_spellings(self):
        super()._note_spellings()
        if self.backend.written:
            added = self.backend.get_added_tokens_decoder().items()
            self._spelled = {index: token for token, index in self.backend.written.items()}
            self._spelled |= {index: token.content for index, token in added}

    def tokenize(self, text, pair=None, *, add_special_tokens=False):
        """The tokens of a text, or of a pair, as strings; those outside the vocabulary as they are spelled."""
        tokens = super().tokenize(text, pair, add_special_tokens=add_special_tokens)
        added = {token.content for token in self.backend.get_added_tokens_decoder().values()}
        return [token.strip() if token.strip() in added else token for token in tokens]  # it may have taken spaces

    def _encode(self, rows, paired, add_special_tokens, truncation=None, limit=None, stride=0, words=False):
        if self.config.get(self.lower_case_option):
            rows = self._lowered(rows)
        room = -1 if limit is None else limit - self.num_special_tokens_to_add(True) * add_special_tokens
        if not rows or not paired or truncation != "longest_first" or room < 0:
            return super()._encode(rows, paired, add_special_tokens, truncation, limit, stride, words)
        # Where both are cut, the library leaves one token more of the longer text, the reference of the first.
        encoded = [
            super(SlowTokenizer, self)._encode(list(side), False, False, words=words)
            for side in zip(*rows, strict=True)
        ]
        for first, second in zip(*encoded, strict=True):
            lengths = len(first), len(second)
            first.truncate(max(room - lengths[1], room - room // 2), direction=self.truncation_side)
            second.truncate(max(room - lengths[0], room // 2), direction=self.truncation_side)
        with ONE_CALL:
            return [self.backend.post_process(*pair, add_special_tokens) for pair in zip(*encoded, strict=True)]

    def _lowered(self, text):
        """A text, or whatever is made of texts, in lower case but for the added tokens."""
        if not isinstance(text, str):
            return type(text)(self._lowered(part) for part in text)
        added = self.backend.get_added_tokens_decoder().values()
        added = [t.content for t in added if t.special or t.normalized or t.content in self.all_special_tokens]
        kept = "|".join(map(re.escape, sorted(added, key=len, reverse=True)))
        return re.sub(f"({kept})|.", lambda match: match[1] or match[0].lower(), text)

    def _text(self, ids, skip_special_tokens):
        """Added tokens stand apart, what lies between them is joined."""
        apart = {token.content for token in self.backend.get_added_tokens_decoder().values()}
        apart -= {*self.all_special_tokens}
        apart |= {t for t in self.additional_special_tokens if self.convert_tokens_to_ids(t) >= self.vocab_size}
        tokens = self.convert_ids_to_tokens(ids, skip_special_tokens=skip_special_tokens)
        texts = []
        for is_apart, run in itertools.groupby(tokens, apart.__contains__):
            run = list(run)
            texts += run if is_apart else [self.join(run)]
        return " ".join([text for text in texts[:-1] if text] + texts[-1:])


def slow_backend(vocab, split, frame, config):
    """The backend of a `SlowTokenizer`.

    vocab: {token: id}; split: text -> list of tokens; frame: (backend, config) -> post-processor, see frames.py.
    ValueError if `config` names special tokens that are not in `vocab`.
    """
    unk_token = config["unk_token"]
    if unk_token not in vocab:
        raise ValueError(f"the vocabulary lacks {unk_token!r}: name the token that stands for it, unk_token=...")
    backend = Backend(models.WordLevel(vocab, unk_token=unk_token))
    backend.post_processor = frame(backend, config)
    return PythonBackend(backend, Splitter(split, vocab, unk_token))


class Pieces:
    """Text -> the tokens that a `tokenizers.Tokenizer` makes of it."""

    def __init__(self, backend):
        self.backend = backend

    def __call__(self, text):
        return self.backend.encode(text).tokens


class BytePairs:
    """Byte-pair encoding of a word's characters, the last of which carries `</w>`; a file of merges, best first."""

    def __init__(self, path):
        lines = read_text(path).split("\n")[:-1]
        self.ranks = {tuple(line.split()[:2]): rank for rank, line in enumerate(lines)}  # "a b", or "a b count"

    def __call__(self, word):
        """A word -> its symbols."""
        symbols = [*word[:-1], word[-1] + "</w>"]
        while len(symbols) > 1:
            best = min(itertools.pairwise(symbols), key=lambda pair: self.ranks.get(pair, math.inf))
            if best not in self.ranks:
                break
            merged = []
            for symbol in symbols:
                if merged and (merged[-1], symbol) == best:
                    merged[-1] += symbol
                else:
                    merged.append(symbol)
            symbols = merged
        return symbols


def imported(module, package, purpose):
    """An optional package's module; ImportError saying what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{purpose} needs the package {package}: pip install {package}") from error

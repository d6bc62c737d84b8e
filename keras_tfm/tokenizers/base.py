"""What all tokenizers share: Hub files in, NumPy arrays out, over the `tokenizers` library.

Shapes: B texts (more with overflow), T tokens of the longest.
"""

import threading
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from tokenizers import AddedToken

from keras_tfm.tokenizers.batch import (
    PADDING,
    SIDES,
    TRUNCATION,
    column,
    pad_rows,
    padded_length,
    paired_rows,
    stack_rows,
    strategy,
)
from keras_tfm.tokenizers.chat import ChatTemplates
from keras_tfm.tokenizers.files import (
    backend_json,
    json_bytes,
    named_templates,
    read_backend,
    read_config,
    recorded_options,
    saved_config,
    stored_templates,
    write,
)
from keras_tfm.tokenizers.special import SPECIAL_TOKENS, SpecialTokens, added_token, content, with_flags

# The backend keeps the truncation of a call as state, so calls from several threads take turns.
ONE_CALL = threading.RLock()
NO_LIMIT = int(1e30)  # how the Hub's files say that there is no longest sequence
CLEAN_UP = ((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"))
CLEAN_UP += ((" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"))


class Tokenizer(SpecialTokens, ChatTemplates):
    """Text to ids and back.

    A subclass names its `vocab_files` and its `defaults` (special tokens and options, overruled by
    tokenizer_config.json), builds a backend from the vocabulary files where there is no tokenizer.json (`build`), and
    applies its options to a backend of either origin (`configure`).

    Arguments: `backend`, a `tokenizers.Tokenizer` for this object alone; `config`, any key of tokenizer_config.json:
    the special tokens (`cls_token="[CLS]"`, ..., `additional_special_tokens=[...]`), `model_max_length` (default: no
    limit), `padding_side` and `truncation_side` ("right" or "left", default "right"), `model_input_names`,
    `clean_up_tokenization_spaces` (default True), `chat_template` (see `apply_chat_template`) and those of the
    subclass. Unknown keys are kept and saved.
    """

    vocab_files = ()
    more_files = ()  # what is kept and saved beside the vocabulary where it is there
    defaults = {}
    model_input_names = ("input_ids", "token_type_ids", "attention_mask")
    padding_side = truncation_side = "right"
    padding_values = {}  # of what the model takes besides what a call returns: name -> the value at padded places
    stores_backend = True  # as tokenizer.json
    stored_as = None  # the class that tokenizer_config.json names, where it is not this one
    knows_offsets = True  # which characters a token came from

    def __init__(self, backend, /, **config):
        self.config = config = with_flags(self.defaults, {**recorded_options(backend), **config})
        self.backend = backend
        self.vocab_paths = ()
        backend.no_padding()  # the lengths that tokenizer.json may say to pad and truncate to are not meant for calls
        backend.no_truncation()
        self.model_max_length = int(config.get("model_max_length") or config.get("max_len") or NO_LIMIT)
        self.padding_side = config.get("padding_side", self.padding_side)
        self.truncation_side = config.get("truncation_side", self.truncation_side)
        self.model_input_names = list(config.get("model_input_names", self.model_input_names))
        self.clean_up_tokenization_spaces = config.get("clean_up_tokenization_spaces", True)
        self.pad_token_type_id = config.get("pad_token_type_id", 0)
        self.chat_template = named_templates(config.get("chat_template"))
        added = sorted(config.get("added_tokens_decoder", {}).items(), key=lambda item: int(item[0]))
        backend.add_tokens([added_token(token) for _, token in added])
        self._read_special_tokens(config)
        self.configure(backend, config)
        self._note_spellings()

    @classmethod
    def vocab_files_for(cls, config):
        """The names of the files that `build` needs, where they depend on the options."""
        return cls.vocab_files

    @classmethod
    def build(cls, files, config):
        """`files`: name -> Path of each of `vocab_files`, `config`: the options -> `tokenizers.Tokenizer`."""
        raise NotImplementedError(f"{cls.__name__} needs a tokenizer.json")

    @classmethod
    def built(cls, files, config):
        """What `build` makes of files and of the options, with the defaults where they say nothing."""
        options = {**cls.defaults, **config}
        return cls.build(files, options | {k: content(options[k]) for k in SPECIAL_TOKENS if k in options})

    @classmethod
    def configure(cls, backend, config):
        """Apply to `backend` those options of `config` that overrule tokenizer.json."""

    @classmethod
    def from_preset(cls, source, *, revision=None, token=None, cache_dir=None, local_files_only=False, **overrides):
        """Load from a Hub id, `hf://id` or a folder; `overrides` are options as for the class.

        FileNotFoundError if the tokenizer's files are absent, ValueError if one is damaged.
        """
        from keras_tfm.presets.io.hub import open_preset

        preset = open_preset(
            source, revision=revision, token=token, cache_dir=cache_dir, local_files_only=local_files_only
        )
        config = {**read_config(preset), **overrides}
        files = {name: preset.path(name) for name in cls.vocab_files_for({**cls.defaults, **config})}
        path = preset.path("tokenizer.json") if cls.stores_backend else None
        if path is not None:
            backend = read_backend(path)
        elif all(files.values()) and (files or not cls.stores_backend):  # bytes need no files
            backend = cls.built(files, config)
        else:
            wanted = " or ".join(["tokenizer.json"] * cls.stores_backend + ([" with ".join(files)] if files else []))
            raise FileNotFoundError(
                f"{preset.name} has no tokenizer for {cls.__name__}: found no {wanted}. Add the file, or use the class "
                "that its files are meant for: AutoTokenizer finds it."
            )
        tokenizer = cls(backend, **config)
        paths = [*files.values(), *map(preset.path, cls.more_files)]
        tokenizer.vocab_paths = tuple(path for path in paths if path)
        return tokenizer

    from_pretrained = from_preset

    def __call__(
        self,
        text=None,
        text_pair=None,
        *,
        text_target=None,
        text_pair_target=None,
        add_special_tokens=True,
        padding=True,
        truncation=False,
        max_length=None,
        stride=0,
        is_split_into_words=False,
        pad_to_multiple_of=None,
        return_token_type_ids=None,
        return_attention_mask=None,
        return_overflowing_tokens=False,
        return_special_tokens_mask=False,
        return_offsets_mapping=False,
        return_word_ids=False,
        return_sequence_ids=False,
        return_length=False,
    ):
        """Texts -> a dict of int32 arrays (B, T), ready for the model.

        text, text_pair: a str or a list of B (with `is_split_into_words`: a list of words, or a list of B such).
        text_target, text_pair_target: likewise what a model is to write, encoded as such (in another language, say):
            the ids are `labels` beside those of `text`, or `input_ids` without any.
        padding: True or "longest", "max_length", or False, which raises ValueError where the lengths differ.
        truncation: True or "longest_first", "only_first", "only_second", or False.
        max_length: tokens to truncate or pad to, special tokens included; default `model_max_length`. Where that sets
            no limit either, nothing is truncated and padding="max_length" raises ValueError.
        stride, return_overflowing_tokens: what truncation cuts off becomes further rows, each repeating the `stride`
            tokens before it; `overflow_to_sample_mapping` (B,) tells whose row it is.

        Keys: input_ids; token_type_ids and attention_mask where the model takes them or they are asked for;
        special_tokens_mask (1 = added or padding); offset_mapping (B, T, 2) in characters; word_ids and sequence_ids
        (-1 = none); length (B,), the tokens of each row without padding.

        TypeError for what is no text, ValueError for arguments that contradict each other or the tokenizer.
        """
        only_target = text is None and text_target is not None
        if only_target:
            text, text_pair = text_target, text_pair_target
        rows = paired_rows(text, text_pair, is_split_into_words)
        padding, truncation = strategy(padding, PADDING, "padding"), strategy(truncation, TRUNCATION, "truncation")
        if max_length is not None and padding != "max_length" and truncation is None:
            warnings.warn("max_length has no effect without truncation=True or padding='max_length'", stacklevel=2)
        limit = self._limit(max_length)
        if truncation and padding and pad_to_multiple_of and limit and limit % pad_to_multiple_of:
            raise ValueError(f"max_length={limit} is not a multiple of pad_to_multiple_of={pad_to_multiple_of}.")
        paired = text_pair is not None
        options = (add_special_tokens, truncation, limit, stride, is_split_into_words)
        with self.as_target_tokenizer() if only_target else nullcontext():
            encodings = self._encode(rows, paired, *options)
        if return_overflowing_tokens:
            samples = [index for index, first in enumerate(encodings) for _ in range(1 + len(first.overflowing))]
            encodings = [row for first in encodings for row in (first, *first.overflowing)]

        wanted = {
            "token_type_ids": _asked(return_token_type_ids, "token_type_ids" in self.model_input_names),
            "attention_mask": _asked(return_attention_mask, "attention_mask" in self.model_input_names),
            "special_tokens_mask": return_special_tokens_mask,
            "offset_mapping": return_offsets_mapping,
            "word_ids": return_word_ids,
            "sequence_ids": return_sequence_ids,
        }
        columns = {key: column(encodings, key) for key in ["input_ids", *(key for key in wanted if wanted[key])]}
        arrays = self._rectangle(columns, padding, limit, pad_to_multiple_of)
        if return_overflowing_tokens:
            arrays["overflow_to_sample_mapping"] = np.array(samples, dtype="int32")
        if return_length:
            arrays["length"] = np.array([len(row) for row in columns["input_ids"]], dtype="int32")
        if text_target is not None and not only_target:
            rows = paired_rows(text_target, text_pair_target, is_split_into_words)
            with self.as_target_tokenizer():
                encodings = self._encode(rows, text_pair_target is not None, *options)
            labels = {"input_ids": column(encodings, "input_ids")}
            arrays["labels"] = self._rectangle(labels, padding, limit, pad_to_multiple_of)["input_ids"]
        return arrays

    @contextmanager
    def as_target_tokenizer(self):
        """Within it texts are encoded as `text_target` is; for most tokenizers that makes no difference."""
        yield

    def pad(self, encoded, *, padding=True, max_length=None, pad_to_multiple_of=None, return_attention_mask=None):
        """Ragged rows of ids -> a dict of int32 arrays (B, T).

        encoded: a list of lists of ids, a list of dicts of lists (one a row), or a dict of lists of lists. Keys that a
        call doesn't return are stacked as they are: their rows must have equal shapes. The rest as in a call.
        """
        if not isinstance(encoded, dict):
            rows = [row if isinstance(row, dict) else {"input_ids": row} for row in encoded]
            encoded = {key: [row[key] for row in rows] for key in (rows[0] if rows else ("input_ids",))}
        if "input_ids" not in encoded:
            raise ValueError(f"pad needs input_ids, got only {', '.join(encoded)}.")
        columns = {key: [np.asarray(row) for row in rows] for key, rows in encoded.items()}
        if _asked(return_attention_mask, "attention_mask" in self.model_input_names):
            columns.setdefault("attention_mask", [np.ones(len(row)) for row in columns["input_ids"]])
        limit = self._limit(max_length)
        return self._rectangle(columns, strategy(padding, PADDING, "padding"), limit, pad_to_multiple_of)

    def tokenize(self, text, pair=None, *, add_special_tokens=False):
        """The tokens of a text, or of a pair, as strings."""
        encodings = self._encode(paired_rows(text, pair), pair is not None, add_special_tokens)
        return _single(encodings, "tokenize").tokens

    def encode(self, text, text_pair=None, **options):
        """The ids of one text, or of one pair, as a list; options as in a call."""
        return _single(self(text, text_pair, **options)["input_ids"], "encode").tolist()

    def decode(self, token_ids, *, skip_special_tokens=False, clean_up_tokenization_spaces=None):
        """The text of an id or of a row of ids.

        clean_up_tokenization_spaces: drop the spaces before English punctuation; default: as the tokenizer's config
        says. ValueError for an id outside the vocabulary.
        """
        text = self._text(self._checked_ids(token_ids), skip_special_tokens)
        return cleaned(text) if self._cleans(clean_up_tokenization_spaces) else text

    def _cleans(self, asked):
        return _asked(asked, self.clean_up_tokenization_spaces)

    def _text(self, ids, skip_special_tokens):
        if self._spelled.keys().isdisjoint(ids):
            return self.backend.decode(ids, skip_special_tokens=skip_special_tokens)
        added = self.backend.get_added_tokens_decoder()
        special = {index for index in added if skip_special_tokens and added[index].special}
        tokens = [self._token(index) for index in ids if index not in special]
        return self.join(tokens)

    def join(self, tokens):
        """The text of some tokens of the vocabulary."""
        return self.backend.decoder.decode(tokens) if self.backend.decoder else " ".join(tokens)

    def _token(self, index):
        return self._spelled.get(index) or self.backend.id_to_token(index)

    def _note_spellings(self):
        """Note the added tokens that the backend spells as its normalizer does (in lower case, say)."""
        added = self.backend.get_added_tokens_decoder().items()
        self._spelled = {i: token.content for i, token in added if self.backend.id_to_token(i) != token.content}

    def batch_decode(self, sequences, **options):
        """`decode` for every row."""
        return [self.decode(row, **options) for row in sequences]

    def convert_tokens_to_ids(self, tokens):
        """A token or a list of tokens -> its id or theirs, `unk_token_id` for tokens outside the vocabulary."""
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        index = self.backend.token_to_id(tokens)
        return self.unk_token_id if index is None else index

    def convert_ids_to_tokens(self, ids, *, skip_special_tokens=False):
        """An id or a row of ids -> its token or theirs; ValueError for an id outside the vocabulary."""
        tokens = [self._token(index) for index in self._checked_ids(ids)]
        if np.ndim(ids) == 0:
            return tokens[0]
        special = self.all_special_tokens if skip_special_tokens else ()
        return [token for token in tokens if token not in special]

    @property
    def vocab_size(self):
        """Tokens in the vocabulary, without the added ones; `len(tokenizer)` counts them all."""
        return self.backend.get_vocab_size(with_added_tokens=False)

    def __len__(self):
        return self.backend.get_vocab_size(with_added_tokens=True)

    def get_vocab(self):
        """Token -> id, with the added tokens."""
        return self.backend.get_vocab(with_added_tokens=True)

    def add_tokens(self, new_tokens, special_tokens=False):
        """Add tokens (str, `tokenizers.AddedToken` or a list of them) that no text splits; returns how many were new.

        A word of the vocabulary keeps its id. Where `len` grows, the model's embeddings have to grow as well.
        """
        tokens = [new_tokens] if isinstance(new_tokens, str | AddedToken) else list(new_tokens)
        count = (self.backend.add_special_tokens if special_tokens else self.backend.add_tokens)(tokens)
        self._note_spellings()
        return count

    def num_special_tokens_to_add(self, pair=False):
        """How many special tokens a text or a pair gets."""
        return self.backend.num_special_tokens_to_add(pair)

    def save_preset(self, folder):
        """Write the tokenizer's files into `folder` (made if need be); Transformers loads them too.

        Each file is complete before it takes its name. The vocabulary files that it was loaded with are copied.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.vocab_paths:
            write(folder / path.name, path.read_bytes())
        if self.stores_backend:
            write(folder / "tokenizer.json", backend_json(self.backend).encode())
        _, templates = stored_templates(self.chat_template)
        for name, text in templates.items():
            (folder / name).parent.mkdir(exist_ok=True)
            write(folder / name, text.encode())
        write(folder / "special_tokens_map.json", json_bytes(self.special_tokens_map))
        write(folder / "tokenizer_config.json", json_bytes(saved_config(self)))

    save_pretrained = save_preset

    def __repr__(self):
        return f"{type(self).__name__}(vocab_size={self.vocab_size}, special_tokens={self.special_tokens_map})"

    def _encode(self, rows, paired, add_special_tokens, truncation=None, limit=None, stride=0, words=False):
        special = self.num_special_tokens_to_add(paired) if add_special_tokens else 0
        truncate = truncation is not None and limit is not None
        if truncate and limit < special:
            raise ValueError(f"max_length={limit} has no room for the {special} special tokens.")
        if truncate and stride and stride >= limit - special:
            room = limit - special
            raise ValueError(f"stride={stride} must be below the {room} tokens that max_length={limit} has room for.")
        side = strategy(self.truncation_side, SIDES, "truncation_side")
        with ONE_CALL:
            try:
                if truncate:
                    self.backend.enable_truncation(limit, stride=stride, strategy=truncation, direction=side)
                return self.backend.encode_batch(rows, is_pretokenized=words, add_special_tokens=add_special_tokens)
            except BaseException as error:  # truncation errors have no type of their own; some strides make it panic
                if not truncate or isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                raise ValueError(f"truncation={truncation!r} cannot reach max_length={limit}: {error}") from error
            finally:
                self.backend.no_truncation()

    def _limit(self, max_length):
        """The length to truncate or pad to, None if there is none."""
        if max_length is not None:
            return max_length
        return self.model_max_length if self.model_max_length < 1e20 else None

    def _rectangle(self, columns, padding, limit, multiple):
        """Columns of ragged rows -> dict of int32 arrays."""
        if padding == "max_length" and limit is None:
            raise ValueError("padding='max_length' needs max_length: the tokenizer has no model_max_length.")
        lengths = [len(row) for row in columns["input_ids"]]
        length = padded_length(lengths, padding, limit, multiple)
        if self.pad_token_id is None and any(count < length for count in lengths):
            raise ValueError(
                "the texts need padding and the tokenizer has no pad_token: "
                "set one, for instance tokenizer.pad_token = tokenizer.eos_token."
            )
        side = strategy(self.padding_side, SIDES, "padding_side")
        fill = {"input_ids": self.pad_token_id or 0, "token_type_ids": self.pad_token_type_id, "attention_mask": 0}
        fill |= {"special_tokens_mask": 1, "offset_mapping": (0, 0), "word_ids": -1, "sequence_ids": -1}
        fill |= self.padding_values
        return {
            key: pad_rows(rows, length, fill[key], side) if key in fill else stack_rows(rows, key)
            for key, rows in columns.items()
        }

    def _checked_ids(self, ids):
        array = np.atleast_1d(np.asarray(ids))
        if array.ndim > 1:
            raise ValueError(f"expected one row of ids, got shape {array.shape}: use batch_decode for a batch.")
        if array.size and array.dtype.kind not in "iu":
            raise TypeError(f"token ids must be integers, not {array.dtype}.")
        ids = array.tolist()
        for index in ids:
            if not 0 <= index < 2**32 or self._token(index) is None:  # the backend's ids have 32 bits
                raise ValueError(f"token id {index} is not in the vocabulary: ids go from 0 to {len(self) - 1}.")
        return ids


PreTrainedTokenizerFast = Tokenizer


def cleaned(text):
    """A text without the spaces before English punctuation."""
    for spaced, clean in CLEAN_UP:
        text = text.replace(spaced, clean)
    return text


def _asked(value, default):
    return default if value is None else value


def _single(rows, method):
    if len(rows) != 1:
        raise ValueError(f"{method} takes one text, got {len(rows)} rows: call the tokenizer itself for a batch.")
    return rows[0]

"""How texts are generated: the fields of a checkpoint's `generation_config.json`, with the reference's defaults."""

import dataclasses
import difflib
import json
import warnings
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from keras_tfm.generation.constraints import DisjunctiveConstraint

# What values options may have; those of None are off. The second table counts only where tokens are sampled.
RANGES = {
    "a whole number, at least 1": (
        lambda x: isinstance(x, Integral) and x >= 1,
        ("max_length", "max_new_tokens", "num_beams", "num_beam_groups", "num_return_sequences")
        + ("num_assistant_tokens", "prompt_lookup_num_tokens", "max_matching_ngram_size"),
    ),
    "a whole number, at least 0": (
        lambda x: isinstance(x, Integral) and x >= 0,
        ("min_length", "min_new_tokens", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "top_k"),
    ),
    "a number above 0": (
        lambda x: isinstance(x, Real) and x > 0,
        ("repetition_penalty", "encoder_repetition_penalty", "max_time"),
    ),
    "a number, at least 0": (lambda x: isinstance(x, Real) and x >= 0, ("diversity_penalty", "penalty_alpha")),
    "True, False or 'never'": (lambda x: x in (True, False, "never"), ("early_stopping",)),
    "'heuristic', 'heuristic_transient' or 'constant'": (
        lambda x: x in ("heuristic", "heuristic_transient", "constant"),
        ("num_assistant_tokens_schedule",),
    ),
    "strings, or one": (lambda x: bool(x) and all(isinstance(s, str) for s in x), ("stop_strings",)),
    "lists of tokens, one or more": (lambda x: bool(x) and all(map(_is_sequence, x)), ("bad_words_ids",)),
    "lists of tokens, or lists of alternatives of them, one or more": (
        lambda x: bool(x) and all(_is_sequence(word) or word and all(map(_is_sequence, word)) for word in x),
        ("force_words_ids",),
    ),
    "PhrasalConstraints or DisjunctiveConstraints, one or more": (
        lambda x: bool(x) and all(isinstance(one, DisjunctiveConstraint) for one in x),
        ("constraints",),
    ),
    "sequences of tokens, one or more, with a number each": (
        lambda x: bool(x) and all(_is_sequence(s) and isinstance(bias, Real) for s, bias in x.items()),
        ("sequence_bias",),
    ),
    "a token, or a list of them": (
        lambda x: _is_sequence([x]) or _is_sequence(x),
        ("eos_token_id", "forced_eos_token_id"),
    ),
    "a list of tokens": (
        lambda x: isinstance(x, (list, tuple)) and (not x or _is_sequence(x)),
        ("suppress_tokens", "begin_suppress_tokens"),
    ),
    "pairs of a position and a token": (
        lambda x: all(len(pair) == 2 and isinstance(pair[0], Integral) for pair in x),
        ("forced_decoder_ids",),
    ),
    "a pair: after how many tokens to begin, and a factor above 0": (
        lambda x: len(x) == 2 and isinstance(x[0], Integral) and isinstance(x[1], Real) and x[1] > 0,
        ("exponential_decay_length_penalty",),
    ),
}
SAMPLING_RANGES = {
    "a number above 0 (do_sample=False takes the likeliest token)": (
        lambda x: isinstance(x, Real) and x > 0,
        ("temperature",),
    ),
    "a number from 0 to 1": (
        lambda x: isinstance(x, Real) and 0 <= x <= 1,
        ("top_p", "min_p", "epsilon_cutoff", "eta_cutoff"),
    ),
    "a number above 0, at most 1": (lambda x: isinstance(x, Real) and 0 < x <= 1, ("typical_p",)),
}
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
BEAMS = ("early_stopping", "num_beam_groups", "length_penalty")
COUNTS = ("max_length", "min_length", "num_beams", "num_beam_groups", "num_return_sequences", "num_assistant_tokens")
STATES = ("output_hidden_states", "output_attentions")
NEVER_NONE = (*COUNTS, *STATES, "do_sample", "early_stopping", "length_penalty", "diversity_penalty")


@dataclass(kw_only=True, slots=True, repr=False)
class GenerationConfig:
    """The options of `generate`, named as in Transformers, whose documentation tells about each.

    Lengths count tokens, the prompt's included except in `max_new_tokens` and `min_new_tokens`; times are in seconds.
    Keys of a file that are no option are kept in `extra` and written back.
    """

    # How long
    max_length: int = 20
    max_new_tokens: int | None = None
    min_length: int = 0
    min_new_tokens: int | None = None
    early_stopping: bool | str = False
    max_time: float | None = None
    stop_strings: str | list | None = None
    # Which search
    do_sample: bool = False
    num_beams: int = 1
    num_beam_groups: int = 1
    penalty_alpha: float | None = None
    # Which tokens
    temperature: float | None = 1.0
    top_k: int | None = 50
    top_p: float | None = 1.0
    min_p: float | None = None
    typical_p: float | None = 1.0
    epsilon_cutoff: float | None = 0.0
    eta_cutoff: float | None = 0.0
    diversity_penalty: float = 0.0
    repetition_penalty: float | None = 1.0
    encoder_repetition_penalty: float | None = 1.0
    length_penalty: float = 1.0
    no_repeat_ngram_size: int | None = 0
    encoder_no_repeat_ngram_size: int | None = 0
    bad_words_ids: list | None = None
    force_words_ids: list | None = None
    constraints: list | None = None
    renormalize_logits: bool = False
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | list | None = None
    forced_decoder_ids: list | None = None
    remove_invalid_values: bool = False
    exponential_decay_length_penalty: tuple | None = None
    suppress_tokens: list | None = None
    begin_suppress_tokens: list | None = None
    sequence_bias: dict | None = None
    guidance_scale: float | None = None
    # What is returned
    num_return_sequences: int = 1
    output_scores: bool = False
    output_logits: bool | None = None
    output_hidden_states: bool = False
    output_attentions: bool = False
    return_dict_in_generate: bool = False
    # Special tokens
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list | None = None
    decoder_start_token_id: int | None = None
    # Drafts by an assistant, or looked up in the prompt
    num_assistant_tokens: int = 5
    num_assistant_tokens_schedule: str = "heuristic"
    prompt_lookup_num_tokens: int | None = None
    max_matching_ngram_size: int | None = None

    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        for name in NEVER_NONE:
            if getattr(self, name) is None:
                setattr(self, name, DEFAULTS[name])
        self.sequence_bias = _by_sequence(self.sequence_bias)
        if isinstance(self.exponential_decay_length_penalty, list):
            self.exponential_decay_length_penalty = tuple(self.exponential_decay_length_penalty)

    def __repr__(self):
        return f"GenerationConfig({', '.join(f'{name}={value!r}' for name, value in self.changed.items())})"

    @classmethod
    def from_preset(cls, source, **options):
        """Loads `generation_config.json`. Without one, what `config.json` says of generation. Also `from_pretrained`.

        Args:
            source: a local folder or a Hub id, see `Model.from_preset`.
            revision, token, cache_dir, local_files_only: as there.
            **options: any field, in the place of the stored one.

        Raises:
            FileNotFoundError: no such folder or repository, or neither file in it.
            ValueError: a damaged file.
            TypeError: an option that is no field.
        """
        from keras_tfm.presets.io.load import load_generation_config

        return load_generation_config(source, **options)

    from_pretrained = from_preset

    @classmethod
    def from_dict(cls, stored):
        """From the keys of a `generation_config.json`."""
        known = {name: value for name, value in stored.items() if name in DEFAULTS}
        extra = {name: value for name, value in stored.items() if name not in DEFAULTS}
        return cls(**known, extra=extra)

    @classmethod
    def from_model_config(cls, config):
        """What a model's `Config`, or the dict of one, says of generation; of its decoder's, what it does not say."""
        values = config if isinstance(config, dict) else config.to_dict()
        found = {}
        for part in (values, *(values.get(name) for name in ("decoder", "generator", "text_config"))):
            part = part.to_dict() if dataclasses.is_dataclass(part) else part or {}
            for name in DEFAULTS:
                if part.get(name) is not None and found.get(name, DEFAULTS[name]) == DEFAULTS[name]:
                    found[name] = part[name]
        if values.get("force_bos_token_to_be_generated"):  # as old BARTs say it
            found.setdefault("forced_bos_token_id", found.get("bos_token_id"))
        return cls(**found)

    def updated(self, **options):
        """A copy with these options.

        Raises:
            TypeError: an option that does not exist.
        """
        for name in options:
            if name not in DEFAULTS:
                near = difflib.get_close_matches(name, DEFAULTS, 1)
                raise TypeError(f"no generation option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return dataclasses.replace(self, extra=dict(self.extra), **options)

    def to_dict(self):
        """The keys of a `generation_config.json`: what differs from the defaults, and what it had besides.

        Raises:
            ValueError: there are `constraints`, which are no data.
        """
        if self.constraints is not None:
            raise ValueError("constraints cannot be stored: pass them to generate, or use force_words_ids")
        stored = self.extra | self.changed
        if self.sequence_bias is not None:
            stored["sequence_bias"] = [[list(tokens), bias] for tokens, bias in self.sequence_bias.items()]
        return stored

    def save_preset(self, folder):
        """Writes `generation_config.json` into a folder, made if need be. Also `save_pretrained`."""
        from keras_tfm.presets.io.checkpoint import atomic_folder

        text = json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"
        with atomic_folder(folder) as temporary:
            (temporary / "generation_config.json").write_text(text, encoding="utf-8")

    save_pretrained = save_preset

    @property
    def mode(self):
        """The search these options ask for: "greedy", "sample", "contrastive", "beam", "beam_sample", "group_beam" or
        "constrained_beam"."""
        if self.constraints is not None or self.force_words_ids is not None:
            return "constrained_beam"
        if self.num_beams > 1:
            return "group_beam" if self.num_beam_groups > 1 else "beam_sample" if self.do_sample else "beam"
        if self.do_sample:
            return "sample"
        return "contrastive" if self.penalty_alpha and (self.top_k or 0) > 1 else "greedy"

    def validate(self, vocabulary=None):
        """Checks that the options make sense together, and warns of those that have no effect.

        Args:
            vocabulary: how many words the model has, to check tokens against.

        Raises:
            ValueError: options that contradict each other, or that nothing can fulfil.
        """
        self._check_ranges(RANGES)
        if self.do_sample:
            self._check_ranges(SAMPLING_RANGES)
        if self.max_new_tokens is None and self.min_length > self.max_length:
            _refuse(f"min_length={self.min_length} is more than max_length={self.max_length}: set one of them anew")
        if self.max_new_tokens is not None and (self.min_new_tokens or 0) > self.max_new_tokens:
            least, most = self.min_new_tokens, self.max_new_tokens
            _refuse(f"min_new_tokens={least} is more than max_new_tokens={most}: set one of them anew")
        if self.exponential_decay_length_penalty is not None and self.eos_token_id is None:
            _refuse("exponential_decay_length_penalty makes the end likelier: set eos_token_id, which token that is")
        for name in ("forced_bos_token_id", "forced_eos_token_id"):
            if (forced := _flat(getattr(self, name))) and not forced - _flat(self.suppress_tokens):
                _refuse(f"{name}={getattr(self, name)} is also in suppress_tokens: take it out of one of them")
        if vocabulary is not None:
            self._check_tokens(vocabulary)
        self._check_search()
        self._warn_of_idle_options()

    def _check_ranges(self, ranges):
        for words, (holds, names) in ranges.items():
            for name in names:
                value = getattr(self, name)
                try:
                    right = value is None or holds(value)
                except (TypeError, AttributeError):
                    right = False
                if not right:
                    _refuse(f"{name} must be {words}, not {value!r}")

    def _check_tokens(self, vocabulary):
        names = ("bad_words_ids", "force_words_ids", "sequence_bias", "suppress_tokens", "begin_suppress_tokens")
        names += ("forced_bos_token_id", "forced_eos_token_id", "eos_token_id")
        given = {name: getattr(self, name) for name in names}
        given["constraints"] = [constraint.words for constraint in self.constraints or ()]
        for name, tokens in given.items():
            if unknown := sorted(token for token in _flat(tokens) if token >= vocabulary):
                _refuse(f"{name} has the tokens {unknown}, and the model only those below {vocabulary}")

    def _check_search(self):
        beams, groups, returned = self.num_beams, self.num_beam_groups, self.num_return_sequences
        if self.mode == "constrained_beam":
            if self.do_sample:
                _refuse("constraints and force_words_ids need beam search: set do_sample=False")
            if groups > 1:
                _refuse("constraints and force_words_ids need beam search without groups: set num_beam_groups=1")
            if beams == 1:
                _refuse("constraints and force_words_ids need beam search: set num_beams to 2 or more")
        elif self.diversity_penalty and (beams == 1 or groups == 1):
            _refuse("diversity_penalty is one between groups of beams: set num_beams and num_beam_groups, or unset it")
        elif self.mode == "group_beam":
            if self.do_sample:
                _refuse("groups of beams are not sampled: set do_sample=False, or num_beam_groups=1")
            if beams % groups:
                _refuse(f"num_beams={beams} must be a multiple of num_beam_groups={groups}")
            if not self.diversity_penalty:
                _refuse(f"num_beam_groups={groups} would all be the same: set diversity_penalty above 0")
        if beams > 1 and self.return_dict_in_generate and any(getattr(self, name) for name in STATES):
            _refuse("beam search keeps no states of its texts: unset output_hidden_states and output_attentions")
        if beams == 1 and returned > 1 and not self.do_sample:
            _refuse(f"num_return_sequences={returned}, and greedy search finds one: set do_sample=True, or num_beams")
        if 1 < beams < returned:
            _refuse(f"num_return_sequences={returned} is more than num_beams={beams}: raise the second")

    def _warn_of_idle_options(self):
        changed = self.changed
        if not self.do_sample:
            used = ("top_k",) if self.penalty_alpha is not None else ()
            self._warn([name for name in SAMPLING if name in changed and name not in used], "without do_sample=True")
        if self.num_beams == 1:
            self._warn([name for name in BEAMS if name in changed], "with num_beams=1")

    def _warn(self, names, where):
        if names := [name for name in names if getattr(self, name) is not None]:
            options = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            warnings.warn(f"{options} has no effect {where}", stacklevel=4)

    @property
    def changed(self):
        """The options that differ from their defaults."""
        return {name: getattr(self, name) for name in DEFAULTS if getattr(self, name) != DEFAULTS[name]}


DEFAULTS = {f.name: f.default for f in dataclasses.fields(GenerationConfig) if f.name != "extra"}


def _refuse(message):
    raise ValueError(message)


def _is_sequence(tokens):
    """Whether these are tokens, one or more."""
    return (
        isinstance(tokens, (list, tuple)) and bool(tokens) and all(isinstance(t, Integral) and t >= 0 for t in tokens)
    )


def _by_sequence(bias):
    """{(tokens): bias} from how JSON has it: Transformers 5 writes [[tokens], bias], 4 writes {"(5, 3)": bias}."""
    try:
        pairs = bias.items() if isinstance(bias, dict) else bias or ()
        found = {tuple(map(int, key.strip("(,)").split(",") if isinstance(key, str) else key)): x for key, x in pairs}
    except (TypeError, ValueError):
        return bias  # `validate` tells
    return found or bias


def _flat(tokens):
    """The set of tokens in one, a list, a list of lists, the keys of a dict .., or None."""
    if tokens is None:
        return set()
    return {tokens} if isinstance(tokens, Integral) else set().union(*map(_flat, tokens))

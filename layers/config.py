"""Configurations: the fields of a checkpoint's `config.json`, as keyword-only dataclasses."""

import dataclasses
import difflib
import inspect
from dataclasses import dataclass, field
from typing import Any, ClassVar

# Old spelling -> the one we use. Both are read; ours, which every version of Transformers understands, is written.
SPELLINGS = {"dtype": "torch_dtype"}


@dataclass(kw_only=True)
class Config:
    """What every architecture's configuration shares. Subclasses add their fields, with the reference's defaults.

    Keys that no field declares are kept in `extra` and written back, so that nothing a checkpoint says is lost.
    """

    model_type: ClassVar[str] = ""
    default_labels: ClassVar[int] = 2  # how many there are where a configuration does not say
    synonyms: ClassVar[dict] = {}  # what the shared layers call a field: the architecture's own name of it

    architectures: list | None = None
    torch_dtype: str | None = None
    output_hidden_states: bool = False
    output_attentions: bool = False
    tie_word_embeddings: bool = True
    is_decoder: bool = False
    is_encoder_decoder: bool = False
    add_cross_attention: bool = False
    cross_attention_hidden_size: int | None = None
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list | None = None
    id2label: dict | None = None
    label2id: dict | None = None
    problem_type: str | None = None
    initializer_range: float = 0.02
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self):
        if self.id2label is None:
            self.num_labels = self.default_labels
        else:
            self.id2label = {int(i): label for i, label in self.id2label.items()}
            if self.label2id is None:
                self.label2id = {label: i for i, label in self.id2label.items()}
        problems = ("regression", "single_label_classification", "multi_label_classification")
        if self.problem_type not in (None, *problems):
            raise ValueError(f"problem_type must be one of {problems}, not {self.problem_type!r}")

    def __getattr__(self, name):
        if name not in self.synonyms:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        return getattr(self, self.synonyms[name])

    @property
    def num_labels(self):
        """How many classes a classification head tells apart: the length of `id2label`."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, count):
        if self.id2label is None or len(self.id2label) != count:
            self.id2label = {i: f"LABEL_{i}" for i in range(count)}
            self.label2id = {label: i for i, label in self.id2label.items()}

    @classmethod
    def from_dict(cls, stored, **overrides):
        """Builds the configuration from the keys of a `config.json`; `overrides` are fields set by the caller.

        Raises:
            TypeError: an override that is no field (a stored key that is no field is kept instead).
        """
        names = {f.name for f in dataclasses.fields(cls)} - {"extra"}
        for name in overrides:
            if name not in (known := names | {"num_labels"} | set(cls.synonyms) | set(stored)):
                near = difflib.get_close_matches(name, known, 1)
                raise TypeError(
                    f"{cls.__name__} has no field {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )
        num_labels = overrides.pop("num_labels", stored.get("num_labels") if "id2label" not in stored else None)
        if "id2label" in overrides:
            stored = {k: v for k, v in stored.items() if k != "label2id"}
        values = {k: v for k, v in (cls._own_names(stored) | cls._own_names(overrides)).items() if k != "num_labels"}
        values.pop("model_type", None)
        extra = {k: values.pop(k) for k in list(values) if k not in names}
        config = cls(**values, extra=extra)
        if num_labels is not None:
            config.num_labels = num_labels
        return config

    @classmethod
    def _own_names(cls, values):
        """Other spellings as ours; a field that is there under its own name keeps that value."""
        spellings = SPELLINGS | cls.synonyms
        names = {f.name for f in dataclasses.fields(cls)} | set(cls.synonyms)
        if values.get("rope_parameters") and "rope_theta" in names:
            values = _rope_fields(**values)
        return {spellings[k]: v for k, v in values.items() if k in spellings} | {
            k: v for k, v in values.items() if k not in spellings
        }

    def to_dict(self):
        """The keys of a `config.json`: what the architecture declares, and what differs from the common defaults."""
        declared = set()
        for cls in type(self).__mro__[: type(self).__mro__.index(Config)]:
            declared |= set(inspect.get_annotations(cls))
        common = {f.name: f.default for f in dataclasses.fields(Config) if f.name not in declared}
        stored = {"model_type": self.model_type, **self.extra}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name != "extra" and (f.name not in common or value != common[f.name]):
                stored[f.name] = value
        if self.default_labels == 2 and self.id2label == {0: "LABEL_0", 1: "LABEL_1"}:
            del stored["id2label"], stored["label2id"]
        if "id2label" in stored:
            stored["id2label"] = {str(i): label for i, label in self.id2label.items()}
        return stored


@dataclass(kw_only=True)
class CompositeConfig(Config):
    """The configuration of a model that is made of whole models: fields (`parts`) hold theirs, of any architecture,
    each told by its model_type or, where `parts` is a dict, of the class that it names. What is stored of them is
    written back, but for what has changed since.

    Raises:
        ValueError: a part is missing, or has no known model_type.
    """

    parts: ClassVar[tuple | dict] = ()

    def __post_init__(self):
        super().__post_init__()
        self._read = {}  # part: (its configuration, as stored, as it would be written)
        for part in self.parts:
            stored = getattr(self, part)
            if stored is None:
                stored = self.default_part(part)
            if isinstance(stored, dict):
                config = self._class_of(part, stored).from_dict(stored)
                self._read[part] = config, stored, config.to_dict()
                stored = config
            setattr(self, part, stored)

    def default_part(self, part):
        """What a part is where it is not given: its configuration, a dict of its fields, or None where the model goes
        without."""
        if isinstance(self.parts, dict):
            return {}
        raise ValueError(f"{type(self).__name__} needs the configurations of {' and '.join(self.parts)}")

    def _class_of(self, part, stored):
        if isinstance(self.parts, dict):
            return self.parts[part]
        from keras_tfm.auto import config_class_of

        return config_class_of(stored, f"the {part}")

    def to_dict(self):
        return super().to_dict() | {part: self._written(part) for part in self.parts}

    def _written(self, part):
        """A part's configuration as it is stored."""
        config = getattr(self, part)
        if config is None:
            return None
        now = config.to_dict()
        read, stored, before = self._read.get(part, (None, {}, {}))
        if read is not config:  # another one has been put in its place
            return now
        kept = {name: value for name, value in stored.items() if name in now or name not in before}
        return kept | {name: value for name, value in now.items() if (name, value) not in before.items()}


def _rope_fields(rope_parameters, **others):
    """The one dict in which Transformers 5 has what concerns rotary positions, as the fields of before."""
    scaling = {k: v for k, v in rope_parameters.items() if k not in ("rope_theta", "partial_rotary_factor")}
    fields = {k: v for k, v in rope_parameters.items() if k not in scaling}
    if scaling.get("rope_type", "default") != "default":
        fields["rope_scaling"] = scaling
    return others | fields

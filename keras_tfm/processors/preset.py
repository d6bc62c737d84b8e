"""What processors of pictures and of sound share: options, read from preprocessor_config.json and written to it."""

import difflib
from pathlib import Path

from keras_tfm.tokenizers.files import json_bytes, write

FILE = "preprocessor_config.json"


class Preprocessor:
    """Options with `defaults`, which a preset and the caller overrule.

    Keys of preprocessor_config.json that are no options are kept in `extra` and saved, but for those that follow from
    the options: the `derived` ones, which are attributes too, and the `computed` ones, which are not worth saving.
    """

    defaults = {}
    synonyms = {}  # former names of options
    may_be_none = ()  # options for which null in preprocessor_config.json does not mean the default
    derived = computed = ()
    kind = None  # the part of processor_config.json that newer presets have instead of preprocessor_config.json

    def __init__(self, **config):
        config = self._own_options(config)
        config.pop("feature_extractor_type", None)  # that of the class
        known = {*self.defaults, *self.derived, *self.computed}
        self.extra = {key: value for key, value in config.items() if key not in known}
        for key, default in self.defaults.items():
            value = config.get(key, default)
            unset = value is None and not isinstance(default, bool) and key not in self.may_be_none
            setattr(self, key, self._checked(key, default if unset else value))

    @classmethod
    def from_preset(cls, source, *, revision=None, token=None, cache_dir=None, local_files_only=False, **overrides):
        """Load from a Hub id, `hf://id` or a folder; `overrides` are options as for the class.

        FileNotFoundError if there is no preprocessor_config.json, ValueError if it is damaged, TypeError for an
        override that is no option.
        """
        from keras_tfm.presets.io.hub import open_preset

        preset = open_preset(
            source, revision=revision, token=token, cache_dir=cache_dir, local_files_only=local_files_only
        )
        stored = read_config(preset, cls.kind)
        cls._check_options(overrides, stored)
        return cls(**{**cls._own_options(stored), **cls._own_options(overrides)})

    from_pretrained = from_preset

    @classmethod
    def _own_options(cls, options):
        """Options under their present names; where both are there, the former name counts, as in Transformers."""
        former = {cls.synonyms[key]: value for key, value in options.items() if key in cls.synonyms}
        return {key: value for key, value in options.items() if key not in cls.synonyms} | former

    @classmethod
    def _check_options(cls, given, more=()):
        known = [*cls.defaults, *cls.synonyms, *more]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise TypeError(
                    f"{cls.__name__} has no option {name!r}"
                    + (f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known)}")
                )

    def _checked(self, key, value):
        """The value of an option in the form that is kept; ValueError for what makes no sense."""
        return value

    def to_dict(self):
        """The keys of preprocessor_config.json."""
        values = {key: getattr(self, key) for key in (*self.defaults, *self.derived)}
        return {**self.extra, **values, f"{self.kind}_type": type(self).__name__}

    def save_preset(self, folder):
        """Write preprocessor_config.json into `folder` (made if need be), complete before it takes its name."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / FILE, json_bytes(dict(sorted(self.to_dict().items()))))

    save_pretrained = save_preset

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{key}={getattr(self, key)!r}' for key in self.defaults)})"


def read_config(preset, kind):
    """The keys of preprocessor_config.json, or of the part of processor_config.json that newer presets have instead."""
    stored = preset.json(FILE)
    if stored is None:
        stored = (preset.json("processor_config.json") or {}).get(kind)
    if not isinstance(stored, dict):
        preset.require(FILE)
    return stored

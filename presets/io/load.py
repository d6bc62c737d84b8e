"""From a preset's files to a model: configuration, weights, and every way in which they may not fit together."""

import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields as fields_of
from dataclasses import replace

import keras
import ml_dtypes
import numpy as np

from keras_tfm.generation.config import GenerationConfig
from keras_tfm.layers.base import weights_follow
from keras_tfm.layers.heads import Generation
from keras_tfm.layers.positions import Formula
from keras_tfm.presets.io.checkpoint import open_checkpoint
from keras_tfm.presets.io.hub import LOCATION, open_preset
from keras_tfm.presets.io.translate import names_of


def load_config(source, config_class=None, **options):
    """The configuration of a preset, with `options` (fields) in the place of the stored ones.

    Raises:
        FileNotFoundError: no `config.json`.
        ValueError: it is not JSON, or belongs to another architecture.
    """
    preset, options = _open(source, options)
    return read_config(preset, config_class, **options)


def read_config(preset, config_class=None, **fields):
    """As `load_config`, of an open preset."""
    from keras_tfm.auto import config_class_of, model_type_of

    preset.require("config.json")
    stored = preset.json("config.json")
    if config_class is None:
        config_class = config_class_of(stored, preset.name)
    elif (model_type := model_type_of(stored)) not in (None, config_class.model_type):
        raise ValueError(
            f"config.json of {preset.name} is of model_type {model_type!r}, and {config_class.__name__} reads "
            f"{config_class.model_type!r}: load it with keras_tfm.AutoModel or with {model_type}'s own class"
        )
    return config_class.from_dict(stored, **fields)


def load_model(cls, source, *, dtype=None, load_weights=True, ignore_mismatched_sizes=False, **options):
    """See `Model.from_preset`."""
    preset, fields = _open(source, options)
    config = read_config(preset, cls.config_class, **fields)
    if not load_weights:
        model = cls(config, dtype=_policy(dtype, config.torch_dtype))
    else:
        with open_checkpoint(preset) as checkpoint:
            if dtype == "auto" and config.torch_dtype is None:
                dtype = _dtype_of(checkpoint)
            with weights_follow():
                model = cls(config, dtype=_policy(dtype, config.torch_dtype))
            fill(model, checkpoint, preset.name, ignore_mismatched_sizes)
    if isinstance(model, Generation):
        model.generation_config = _read_generation_config(preset, config)
    return model


def load_parts(cls, sources, make_config, anew=(), *, dtype=None, ignore_mismatched_sizes=False, **options):
    """A model made of whole models, each from a preset of its own.

    Args:
        cls: the class of the model.
        sources: {the attribute that holds a part: its preset}.
        make_config: makes the model's configuration, of those of its parts in their order and of the other fields.
        anew: the names of layers that no preset has, wherever they are.
        **options: fields of the configuration; where they begin with the name of a part, of that part's. The same goes
            for the options about where files are, which else hold for all.
    """
    own = {field.name for field in fields_of(cls.config_class)}
    presets, configs = {}, []
    where = {name: options.pop(name) for name in LOCATION if name in options}
    for part, source in sources.items():
        names = [name for name in options if name.startswith(f"{part}_") and name not in own]
        preset, fields = _open(source, where | {name.removeprefix(f"{part}_"): options.pop(name) for name in names})
        presets[part] = preset
        configs.append(read_config(preset, **fields))
    config = make_config(*configs, **options)
    with ExitStack() as files:
        checkpoint = _Joined({part: files.enter_context(open_checkpoint(p)) for part, p in presets.items()})
        if dtype == "auto":
            dtype = _dtype_of(checkpoint)
        with weights_follow():
            model = cls(config, dtype=dtype)
        fill(model, checkpoint, " with ".join(p.name for p in presets.values()), ignore_mismatched_sizes, anew)
    return model


class _Joined(Mapping):
    """Several checkpoints as one: the tensors of each begin with its name."""

    def __init__(self, checkpoints):
        self.checkpoints = checkpoints

    def _find(self, name):
        part, _, tensor = name.partition(".")
        return self.checkpoints[part], tensor

    def __getitem__(self, name):
        checkpoint, tensor = self._find(name)
        return checkpoint[tensor]

    def __iter__(self):
        return (f"{part}.{tensor}" for part, checkpoint in self.checkpoints.items() for tensor in checkpoint)

    def __len__(self):
        return sum(map(len, self.checkpoints.values()))

    def read(self, name):
        checkpoint, tensor = self._find(name)
        return checkpoint.read(tensor)


def load_generation_config(source, **options):
    """See `GenerationConfig.from_preset`."""
    preset, fields = _open(source, options)
    return _read_generation_config(preset).updated(**fields)


def _read_generation_config(preset, config=None):
    """From its own file, unless that only repeats what the model's configuration says."""
    stored = preset.json("generation_config.json")
    if stored is None or stored.get("_from_model_config"):
        return GenerationConfig.from_model_config(config or read_config(preset))
    return GenerationConfig.from_dict(stored)


def fill(model, checkpoint, source, ignore_mismatched_sizes=False, anew=()):
    """Sets every variable of `model` from the checkpoint; nothing is set if anything does not fit.

    A head, an optional layer, or a layer of a name that is in `anew`: what the checkpoint lacks of these, each as a
    whole, is initialised and named in one warning. What follows from a formula may be missing.
    Tensors of heads that this model does not have are left unused.
    """
    names = names_of(model)
    slots = [_may_be_lacking(slot, anew) for slot in names.slots(model)]
    stored = {slot: next((name for name in slot.names if name in checkpoint), None) for slot in slots}

    found_modules = {slot.module for slot, tensor in stored.items() if tensor}
    fresh = [slot for slot, t in stored.items() if not t and slot.module and slot.module not in found_modules]
    computed = [slot for slot, t in stored.items() if not t and isinstance(slot.initializer, Formula)]
    missing = [slot.tensor for slot, tensor in stored.items() if not tensor and slot not in fresh + computed]
    unknown = names.unknown(model, checkpoint, {name for slot in slots for name in slot.names})
    if missing or unknown:
        raise ValueError(
            f"{source} does not fit {type(model).__name__}."
            + (f" Missing tensors: {_list(missing)}." if missing else "")
            + (f" Tensors of no layer: {_list(unknown)}." if unknown else "")
            + " Is config.json that of these weights, and is this the right class?"
        )

    wrong = []
    for slot, tensor in stored.items():
        if tensor and tuple(checkpoint[tensor].shape) != slot.stored_shape:
            wrong.append((slot, f"{tensor} is {tuple(checkpoint[tensor].shape)}, not {slot.stored_shape}"))
        elif tensor and not _is_float(checkpoint[tensor].dtype):
            raise ValueError(f"{tensor} in {source} has dtype {checkpoint[tensor].dtype}, a float is needed")
    if wrong and not ignore_mismatched_sizes:
        raise ValueError(
            f"{source} does not fit {type(model).__name__}: {_list([text for _, text in wrong], '; ')}. "
            "Pass ignore_mismatched_sizes=True to initialise these anew."
        )
    named = {slot.module for slot in fresh} | {slot.path.rpartition(".")[0] for slot, _ in wrong}
    fresh += [slot for slot, _ in wrong]

    for slot, tensor in _progress(stored.items()):
        if slot in fresh + computed:
            slot.variable.assign(slot.initializer(slot.variable.shape, dtype=slot.variable.dtype))
        else:
            array = slot.array.load(checkpoint.read(tensor))
            slot.variable.assign(array.astype(slot.variable.dtype, copy=False))
    if fresh:
        warnings.warn(
            f"{type(model).__name__}: {_list(sorted(named))} initialised anew, since {source} has no fitting weights "
            "for them; train them before use.",
            stacklevel=4,
        )


def _may_be_lacking(slot, names):
    """The slot; if a layer of one of these names has it, as one of a module that a checkpoint may lack."""
    path = slot.path.split(".")
    depth = next((i for i, name in enumerate(path) if name in names), None)
    return slot if depth is None else replace(slot, module=".".join(path[: depth + 1]))


def _open(source, options):
    """Splits the options into those about where the files are and the rest, and opens the preset."""
    preset = open_preset(source, **{k: options[k] for k in LOCATION if k in options})
    return preset, {k: v for k, v in options.items() if k not in LOCATION}


def _dtype_of(checkpoint):
    """The dtype of the first tensor of floats."""
    return next(str(info.dtype) for info in checkpoint.values() if _is_float(info.dtype))


def _policy(dtype, stored_dtype):
    return keras.dtype_policies.get(stored_dtype if dtype == "auto" else dtype)


def _is_float(dtype):
    return np.issubdtype(dtype, np.floating) or dtype == ml_dtypes.bfloat16


def _list(names, separator=", ", most=8):
    names = list(dict.fromkeys(names))  # a fused tensor is named by each of its variables
    more = f"{separator}and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def _progress(items):
    """A progress bar over the tensors, where there is a terminal to show it."""
    from huggingface_hub.utils import tqdm

    return tqdm(items, desc="loading", unit="tensor", disable=None, leave=False)

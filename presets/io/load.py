"""From a preset's files to a model: configuration, weights, and every way in which they may not fit together."""

import warnings

import keras
import ml_dtypes
import numpy as np

from keras_tfm.generation.config import GenerationConfig
from keras_tfm.layers.base import weights_follow
from keras_tfm.layers.heads import CausalLanguageModeling
from keras_tfm.layers.positions import Formula
from keras_tfm.presets.io.checkpoint import open_checkpoint
from keras_tfm.presets.io.hub import LOCATION, open_preset
from keras_tfm.presets.io.translate import names_of

LEGACY = {"weight": "gamma", "bias": "beta"}  # how layer normalisations were stored in TensorFlow's time


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
                dtype = next(str(d) for d in (info.dtype for info in checkpoint.values()) if _is_float(d))
            with weights_follow():
                model = cls(config, dtype=_policy(dtype, config.torch_dtype))
            fill(model, checkpoint, preset.name, ignore_mismatched_sizes)
    if isinstance(model, CausalLanguageModeling):
        model.generation_config = _read_generation_config(preset, config)
    return model


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


def fill(model, checkpoint, source, ignore_mismatched_sizes=False):
    """Sets every variable of `model` from the checkpoint; nothing is set if anything does not fit.

    A head (or an optional layer) that the checkpoint lacks as a whole is initialised and named in one warning. What
    follows from a formula may be missing.
    Tensors of heads that this model does not have are left unused.
    """
    names = names_of(model)
    slots = names.slots(model)
    stored = {slot: _find(slot, checkpoint, names, hasattr(model, "backbone")) for slot in slots}

    found_modules = {slot.module for slot, tensor in stored.items() if tensor}
    fresh = [slot for slot, t in stored.items() if not t and slot.module and slot.module not in found_modules]
    computed = [slot for slot, t in stored.items() if not t and isinstance(slot.initializer, Formula)]
    missing = [slot.tensor for slot, tensor in stored.items() if not tensor and slot not in fresh + computed]
    unknown = _unknown(checkpoint, set(stored.values()), names)
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
    fresh += [slot for slot, _ in wrong]

    for slot, tensor in _progress(stored.items()):
        if slot in fresh + computed:
            slot.variable.assign(slot.initializer(slot.variable.shape, dtype=slot.variable.dtype))
        else:
            array = slot.array.load(checkpoint.read(tensor))
            slot.variable.assign(array.astype(slot.variable.dtype, copy=False))
    if fresh:
        warnings.warn(
            f"{type(model).__name__}: {_list(sorted({slot.path.rpartition('.')[0] for slot in fresh}))} "
            f"initialised anew, since {source} has no fitting weights for them; train them before use.",
            stacklevel=4,
        )


def _open(source, options):
    """Splits the options into those about where the files are and the rest, and opens the preset."""
    preset = open_preset(source, **{k: options[k] for k in LOCATION if k in options})
    return preset, {k: v for k, v in options.items() if k not in LOCATION}


def _policy(dtype, stored_dtype):
    return keras.dtype_policies.get(stored_dtype if dtype == "auto" else dtype)


def _is_float(dtype):
    return np.issubdtype(dtype, np.floating) or dtype == ml_dtypes.bfloat16


def _find(slot, checkpoint, names, has_head):
    """The stored name of a tensor: the base prefix may be missing or extra, and norms may have their old names."""
    tensor, prefix = slot.tensor, names.prefix and f"{names.prefix}."
    candidates = [slot.second_tensor, tensor] if slot.second_tensor else [tensor]
    if prefix:
        candidates.append(tensor.removeprefix(prefix) if has_head else prefix + tensor)
    for copy in names.copies.get(tensor.removeprefix(prefix), ()):
        candidates += [copy, prefix + copy]
    for name in candidates:
        module, _, last = name.rpartition(".")
        for spelling in (name, f"{module}.{LEGACY.get(last)}"):
            if spelling in checkpoint:
                return spelling
    return None


def _unknown(checkpoint, used, names):
    """The stored tensors of the backbone that no layer uses. Those of heads this model does not have may be left."""
    prefix = f"{names.prefix}."
    prefixed = names.prefix and any(name.startswith(prefix) for name in checkpoint)
    backbone = [name for name in checkpoint if not prefixed or name.startswith(prefix)]
    return [name for name in backbone if name not in used and not names.is_spare(name.removeprefix(prefix))]


def _list(names, separator=", ", most=8):
    names = list(dict.fromkeys(names))  # a fused tensor is named by each of its variables
    more = f"{separator}and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def _progress(items):
    """A progress bar over the tensors, where there is a terminal to show it."""
    from huggingface_hub.utils import tqdm

    return tqdm(items, desc="loading", unit="tensor", disable=None, leave=False)

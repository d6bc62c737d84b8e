"""From a model to the Hub's files, which Transformers reads."""

import json

import numpy as np
from keras import ops

from keras_tfm.layers.convolutions import BatchNorm
from keras_tfm.layers.heads import Generation
from keras_tfm.presets.io.checkpoint import TensorInfo, atomic_folder, write_checkpoint
from keras_tfm.presets.io.translate import COUNTER, names_of, public_class


def save_model(model, folder, readers=(), max_shard_size="5GB"):
    """See `Model.save_preset`. `readers`: what to save beside the model, or None."""
    slots = {}
    for slot in names_of(model).slots(model):
        if slot.saved:
            slots.setdefault(slot.tensor, []).append(slot)
    for [slot, *_] in list(slots.values()):
        if slot.second_tensor and slot.second_tensor.replace("bias", "weight") in slots:  # nothing is tied
            slots[slot.second_tensor] = [slot]
    tensors = {name: TensorInfo(slot.stored_shape, _dtype(slot)) for name, [slot, *_] in slots.items()}
    constants = _constants(slots)
    tensors |= {name: TensorInfo(array.shape, array.dtype) for name, array in constants.items()}

    def read(name):
        return constants[name] if name in constants else _stored(slots[name])

    stored = model.config.to_dict() | {
        "architectures": [public_class(model).__name__],
        "torch_dtype": model.variable_dtype,
    }
    with atomic_folder(folder) as temporary:
        (temporary / "config.json").write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        write_checkpoint(temporary, tensors, read, max_shard_size=max_shard_size)
        if isinstance(model, Generation):
            model.generation_config.save_preset(temporary)
        for reader in readers:
            if reader is not None:
                reader.save_preset(temporary)


def _constants(slots):
    """What PyTorch stores beside the variables: the counters of batch normalisations, and a layer's `constants`."""
    found = {}
    for tensor, [slot, *_] in slots.items():
        module = tensor.rpartition(".")[0]
        told = {COUNTER: np.zeros((), "int64")} if isinstance(slot.layer, BatchNorm) else {}
        for name, array in getattr(slot.layer, "constants", told).items():
            found[f"{module}.{name}"] = array
    return found


def _stored(slots):
    """The tensor of these variables: as a rule of one, of several where it is fused."""
    if len(slots) == 1:
        return slots[0].array.save(_values(slots[0]))
    stored = np.empty(slots[0].stored_shape, _dtype(slots[0]))
    for slot in slots:
        slot.array.save_into(stored, _values(slot))
    return stored


def _values(slot):
    array = ops.convert_to_numpy(slot.variable.value)  # float32 for torch's bfloat16, which NumPy has no view of
    return array.astype(_dtype(slot), copy=False)


def _dtype(slot):
    return np.dtype(slot.variable.dtype)

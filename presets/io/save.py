"""From a model to the Hub's files, which Transformers reads."""

import json

import numpy as np
from keras import ops

from keras_tfm.presets.io.checkpoint import TensorInfo, atomic_folder, write_checkpoint
from keras_tfm.presets.io.translate import names_of, public_class


def save_model(model, folder, tokenizer=None, max_shard_size="5GB"):
    """See `Model.save_preset`."""
    slots = {slot.tensor: slot for slot in names_of(model).slots(model)}
    tensors = {name: TensorInfo(slot.stored_shape, np.dtype(slot.variable.dtype)) for name, slot in slots.items()}
    stored = model.config.to_dict() | {
        "architectures": [public_class(model).__name__],
        "torch_dtype": model.variable_dtype,
    }
    with atomic_folder(folder) as temporary:
        (temporary / "config.json").write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        write_checkpoint(temporary, tensors, lambda name: _stored(slots[name]), max_shard_size=max_shard_size)
        if tokenizer is not None:
            tokenizer.save_preset(temporary)


def _stored(slot):
    array = ops.convert_to_numpy(slot.variable.value)  # float32 for torch's bfloat16, which NumPy has no view of
    return slot.array.save(array.astype(slot.variable.dtype, copy=False))

"""SavedModel export, which each backend reaches by another road."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras


def export_saved_model(model, filepath, **options):
    """Writes a TensorFlow SavedModel with the endpoint `serve`: a dict of tensors of any batch size and length.

    TensorFlow and JAX (through jax2tf) export themselves. Torch cannot, nor can JAX where an operation wants to know
    a size (Fourier transforms, positions of any picture): the weights go through a preset to a process with the
    TensorFlow backend.

    Args:
        model: a `keras_tfm` model.
        filepath: the folder to write; what is there gives way when the new one is complete.
        options: see `keras.Model.export`.

    Raises:
        ImportError: TensorFlow is not installed.
        TypeError: a class of the user's own, or options, where that other process is needed.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError("a SavedModel is written by TensorFlow: pip install 'keras-tfm[tensorflow]'")
    target = Path(filepath).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        folder = Path(folder)
        if keras.backend.backend() == "torch":
            _export_in_tensorflow(model, folder, options)
        else:
            try:
                _export(model, folder / "new", dict(options))
            except _sizes_must_be_known():
                _export_in_tensorflow(model, folder, options)
        if target.exists():
            os.replace(target, folder / "old")
        os.replace(folder / "new", target)


def _sizes_must_be_known():
    """What JAX raises at an operation that has no program for unknown sizes, or where one depends on such a size."""
    if keras.backend.backend() != "jax":
        return ()
    from jax.errors import InconclusiveDimensionOperation

    return NotImplementedError, InconclusiveDimensionOperation


def _export(model, filepath, options):
    signature = model.signature()
    if keras.backend.backend() == "jax":
        # The same letters in every input of a text: jax2tf would else take their sizes for independent ones.
        shapes = {name: _symbols(name, shape) for name, (shape, _) in signature.items()}
        # Without gradients: of strided convolutions JAX has none for sizes unknown.
        known = {"polymorphic_shapes": [shapes], "with_gradient": False}
        options["jax2tf_kwargs"] = known | options.get("jax2tf_kwargs", {})
    spec = {name: keras.InputSpec(shape=shape, dtype=dtype, name=name) for name, (shape, dtype) in signature.items()}
    keras.Model.export(model, filepath, input_signature=[spec], **({"verbose": False} | options))


def _symbols(name, shape):
    letters = iter("b" + {"decoder": "cdef", "encoder": "ghij"}.get(name.partition("_")[0], "tuvw"))
    return f"({', '.join(next(letters) if size is None else str(size) for size in shape)})"


def _export_in_tensorflow(model, folder, options):
    from keras_tfm.presets.io.translate import public_class

    name = type(model).__name__
    if options or public_class(model) is not type(model):
        raise TypeError(
            f"here a SavedModel is written by another process, which knows neither {name}'s own code nor options "
            f"({', '.join(options) or 'none given'}): use KERAS_BACKEND=tensorflow for these"
        )
    model.save_preset(folder / "preset")
    script = (
        "import sys, keras_tfm\n"
        "preset, name, dtype, path = sys.argv[1:]\n"
        "getattr(keras_tfm, name).from_preset(preset, dtype=dtype).export(path)\n"
    )
    arguments = [sys.executable, "-c", script, folder / "preset", name, model.dtype_policy.name, folder / "new"]
    child = subprocess.run(arguments, env=os.environ | {"KERAS_BACKEND": "tensorflow"}, capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f"exporting {name} in a process with the TensorFlow backend failed:\n{child.stderr[-2000:]}")

"""keras_tfm: Hugging Face Transformers' model zoo on Keras 3, on TensorFlow, PyTorch and JAX.

    import keras_tfm as kt

    kt.pipeline("feature-extraction", "sentence-transformers/all-MiniLM-L6-v2")("A man is eating food.")
    model = kt.AutoModel.from_preset("google-bert/bert-base-uncased")

The backend is Keras' (`KERAS_BACKEND`). Public names are resolved when they are first used.
"""

import importlib
import sys

__version__ = "0.1.0"

_HOMES = {"pipeline": "keras_tfm.pipelines"}


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    home = _HOMES.get(name)
    if home is None and name.startswith("Auto"):
        home = "keras_tfm.auto"
    elif home is None and "Tokenizer" in name:
        home = "keras_tfm.tokenizers"
    _require_backend()
    if home is not None:
        module = importlib.import_module(home)
    elif name[0].isupper():
        module = importlib.import_module("keras_tfm.auto").architecture_of(name)
    else:
        module = None
    if not hasattr(module, name):
        raise AttributeError(f"keras_tfm has no {name!r}")
    return getattr(module, name)


if "keras" in sys.modules:  # else there is nothing to load a model with, and no reason to import it
    importlib.import_module("keras_tfm.runtime.registry")


def _require_backend():
    try:
        importlib.import_module("keras")
    except ImportError as error:
        backends = ", ".join(b for b in ("tensorflow", "torch", "jax") if importlib.util.find_spec(b)) or "none"
        raise ImportError(
            f"Keras could not import its backend ({error}). Installed backends: {backends}. Set KERAS_BACKEND to one "
            "of them, or pip install 'keras-tfm[jax]', [torch] or [tensorflow]."
        ) from error

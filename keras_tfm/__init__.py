"""keras_tfm: Hugging Face Transformers' model zoo on Keras 3, on TensorFlow, PyTorch and JAX.

    import keras_tfm as kt

    kt.pipeline("feature-extraction", "sentence-transformers/all-MiniLM-L6-v2")("A man is eating food.")
    model = kt.AutoModel.from_preset("google-bert/bert-base-uncased")

The backend is Keras' (`KERAS_BACKEND`). Public names are resolved when they are first used.
"""

import importlib
import importlib.util

try:
    import keras  # noqa: F401 (a backend that is missing shows here, and not in the middle of a program)
except ImportError as error:
    installed = ", ".join(b for b in ("tensorflow", "torch", "jax") if importlib.util.find_spec(b)) or "none"
    raise ImportError(
        f"Keras could not import its backend ({error}). Installed backends: {installed}. Set KERAS_BACKEND to one of "
        "them, or pip install 'keras-tfm[jax]', [torch] or [tensorflow]."
    ) from error

from keras_tfm.runtime.registry import let_keras_find_our_classes

__version__ = "0.1.0"

let_keras_find_our_classes()


def __getattr__(name):
    if name.startswith("Auto"):
        module = importlib.import_module("keras_tfm.auto")
    elif "Tokenizer" in name:
        module = importlib.import_module("keras_tfm.tokenizers")
    elif name.endswith(("Processor", "ProcessorWithLM", "FeatureExtractor")):
        module = importlib.import_module("keras_tfm.processors")
    elif name == "GenerationConfig":
        module = importlib.import_module("keras_tfm.generation.config")
    elif name in ("DisjunctiveConstraint", "PhrasalConstraint"):
        module = importlib.import_module("keras_tfm.generation.constraints")
    elif name.endswith("Streamer"):
        module = importlib.import_module("keras_tfm.generation.streaming")
    elif name == "pipeline":
        module = importlib.import_module("keras_tfm.pipelines")
    elif name[0].isupper():
        module = importlib.import_module("keras_tfm.auto").architecture_of(name)
    else:
        module = None
    if not hasattr(module, name):
        raise AttributeError(f"keras_tfm has no {name!r}")
    return getattr(module, name)

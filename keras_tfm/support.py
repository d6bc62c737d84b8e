"""The support table: what the parity suite has shown, architecture by architecture."""

import importlib.resources
import json

BACKENDS = ("tensorflow", "torch", "jax")


def support_table():
    """A Markdown table: a row an architecture, a column a backend, a tick where every class passed the parity suite.

    The results come from support.json beside this file, which `pytest --record` writes; nothing is ticked by hand.
    """
    from keras_tfm.auto import architecture, public_classes

    results = json.loads(importlib.resources.files("keras_tfm").joinpath("support.json").read_text())
    rows = ["| architecture | classes | TensorFlow | PyTorch | JAX |", "|---|---|---|---|---|"]
    for model_type, passed in sorted(results.items()):
        classes = set(public_classes(architecture(model_type)))
        ticks = [_tick(classes, set(passed.get(backend, ()))) for backend in BACKENDS]
        rows.append(f"| {model_type} | {len(classes)} | {' | '.join(ticks)} |")
    return "\n".join(rows)


def _tick(classes, passed):
    return "✓" if classes <= passed else f"{len(classes & passed)} of {len(classes)}"

"""Tables of names, read in both directions: our layers and variables <-> the tensors of a checkpoint on the Hub."""

import importlib.util
import re
from dataclasses import dataclass

from keras import Variable, layers

from keras_tfm.layers.heads import VocabularyHead


@dataclass(frozen=True)
class Same:
    """A variable stored as it is, under another name."""

    name: str

    def load(self, stored):
        return stored

    save = load

    def stored_shape(self, shape):
        return tuple(shape)


class Transposed(Same):
    """A matrix (in, out) stored as (out, in)."""

    def load(self, stored):
        return stored.T

    save = load

    def stored_shape(self, shape):
        return tuple(reversed(shape))


# What happens to the arrays, by the class of the layer: {variable: the tensor's last name and what becomes of it}.
ARRAYS = {
    layers.Dense: {"kernel": Transposed("weight"), "bias": Same("bias")},
    layers.Embedding: {"embeddings": Same("weight")},
    layers.LayerNormalization: {"gamma": Same("weight"), "beta": Same("bias")},
    VocabularyHead: {"kernel": Transposed("weight"), "bias": Same("bias")},
}


@dataclass(frozen=True, eq=False)
class Slot:
    """One variable and the tensor that stores it."""

    path: str  # ours, "backbone.blocks.0.attention.query.kernel"
    layer: layers.Layer
    variable: Variable
    tensor: str  # the Hub's, "bert.encoder.layer.0.attention.self.query.weight"
    array: Same
    module: str  # the part of the model that a checkpoint may lack as a whole ("head", "pooler"), or ""

    @property
    def stored_shape(self):
        return self.array.stored_shape(self.variable.shape)


class Names:
    """The translation table of an architecture.

    Args:
        rows: {our layer path: the Hub's module name}. The longest row that a path begins with counts, the rest of the
            path is kept, so what agrees is not written. `{n}` stands for a number, `{a,b}` on the left for a choice
            that goes with the same place in the braces on the right. On the right may also stand a dict of full tensor
            names, {variable: tensor}.
        prefix: the Hub's name for the backbone inside a model with a head.
        heads: rows for the layers outside the backbone, {ends of class names, separated by spaces: rows}.
        optional: layers of the backbone that a checkpoint may lack, and that may be left unused.
        ignored: tensors that hold nothing of their own: tied copies, constant buffers (without the prefix).
    """

    def __init__(self, rows=None, *, prefix="", heads=None, optional=(), ignored=()):
        self.prefix, self.optional, self.ignored = prefix, tuple(optional), set(ignored)
        self.rows = _expand(rows or {})
        self.heads = [(tuple(ends.split()), _expand(head)) for ends, head in (heads or {}).items()]

    def slots(self, model):
        """Every variable of `model` with its tensor, as the reference would store this class."""
        cls = public_class(model).__name__
        head_rows = [row for ends, rows in self.heads if cls.endswith(ends) for row in rows]
        found, seen = [], set()
        for path, layer in model.named_layers():
            inner = {id(v) for _, child in getattr(layer, "named_layers", list)() for v in child.weights}
            for variable in layer.weights:
                if id(variable) in inner | seen:
                    continue
                seen.add(id(variable))
                array = self._array(layer, variable)
                if path.startswith("backbone."):
                    local = path.removeprefix("backbone.")
                    tensor = self._tensor(local, variable, array, self.rows, self.prefix)
                    module = next((o for o in self.optional if f"{local}.".startswith(f"{o}.")), "")
                elif hasattr(model, "backbone"):
                    tensor, module = self._tensor(path, variable, array, head_rows), path.split(".")[0]
                else:
                    tensor = self._tensor(path, variable, array, self.rows)
                    module = next((o for o in self.optional if f"{path}.".startswith(f"{o}.")), "")
                found.append(Slot(f"{path}.{variable.name}", layer, variable, tensor, array, module))
        return found

    @staticmethod
    def _array(layer, variable):
        for cls in type(layer).__mro__:
            if variable.name in ARRAYS.get(cls, {}):
                return ARRAYS[cls][variable.name]
        raise TypeError(
            f"presets/io/translate.py does not say how {variable.path} of a {type(layer).__name__} is stored"
        )

    @staticmethod
    def _tensor(path, variable, array, rows, prefix=""):
        module = _translate(path, rows)
        name = module[variable.name] if isinstance(module, dict) else f"{module}.{array.name}"
        return f"{prefix}.{name}" if prefix else name

    def is_spare(self, tensor):
        """Whether a stored tensor of the backbone (without the prefix) may be left unused."""
        module = [m for o in self.optional if isinstance(m := _translate(o, self.rows), str)]
        return tensor in self.ignored or any(tensor.startswith(f"{m}.") for m in module)


def public_class(model):
    """The class of keras_tfm.models that a model is of, or that a user's own class extends.

    Raises:
        TypeError: there is none.
    """
    for cls in type(model).__mro__:
        if cls.__module__.startswith("keras_tfm.models."):
            return cls
    raise TypeError(f"{type(model).__name__} extends no class of keras_tfm.models: how it is stored is not known")


def names_of(model):
    """The table for a model: `presets/X.py` of the architecture file X that defines its class."""
    table = public_class(model).__module__.replace("keras_tfm.models.", "keras_tfm.presets.")
    if importlib.util.find_spec(table) is None:
        return Names()  # every name agrees
    return importlib.import_module(table).NAMES


def _expand(rows):
    """Writes the choices `{a,b}` of the rows out: a list of (left segments, right)."""
    expanded = []
    for left, right in rows.items():
        choices = re.search(r"\{[^{}]*,[^{}]*\}", left)
        if choices is None:
            expanded.append((left.split("."), right))
            continue
        twin = re.search(r"\{[^{}]*,[^{}]*\}", right)
        for ours, theirs in zip(choices[0][1:-1].split(","), twin[0][1:-1].split(","), strict=True):
            expanded += _expand({left.replace(choices[0], ours, 1): right.replace(twin[0], theirs, 1)})
    return expanded


def _translate(path, rows):
    """The Hub's name for our path, by the longest row that it begins with."""
    segments = path.split(".")
    best, name = 0, path
    for left, right in rows:
        numbers = _match(left, segments)
        if numbers is not None and len(left) > best:
            best = len(left)
            rest = segments[best:]
            name = right if isinstance(right, dict) else ".".join([right.format(**numbers), *rest])
    return name


def _match(pattern, segments):
    """The numbers that `{n}` stands for if the segments begin with the pattern, else None."""
    if len(pattern) > len(segments):
        return None
    numbers = {}
    for p, s in zip(pattern, segments, strict=False):
        if p.startswith("{") and s.isdigit():
            numbers[p[1:-1]] = s
        elif p != s:
            return None
    return numbers

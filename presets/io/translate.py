"""Tables of names, read in both directions: our layers and variables <-> the tensors of a checkpoint on the Hub."""

import importlib.util
import itertools
import re
from dataclasses import dataclass, replace

from keras import Variable, initializers, layers

from keras_tfm.layers.base import Layer
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
    """A matrix (in, out) stored as (out, in), or a kernel (width, in, out) stored as (out, in, width)."""

    def load(self, stored):
        return stored.T

    save = load

    def stored_shape(self, shape):
        return tuple(reversed(shape))


class Kernel(Same):
    """A convolution's kernel (height, width, in, out) stored as (out, in, height, width), with as many sides."""

    def load(self, stored):
        return stored.transpose(*range(2, stored.ndim), 1, 0)

    def save(self, kernel):
        sides = kernel.ndim - 2
        return kernel.transpose(sides + 1, sides, *range(sides))

    def stored_shape(self, shape):
        return (shape[-1], shape[-2], *shape[:-2])


class DepthwiseKernel(Kernel):
    """The kernel (height, width, channels, 1) of a convolution of each channel alone, stored as (channels, 1, ..)."""

    def load(self, stored):
        return stored.transpose(2, 3, 0, 1)

    def save(self, kernel):
        return kernel.transpose(2, 3, 0, 1)

    def stored_shape(self, shape):
        return (*shape[2:], *shape[:2])


NORM = {"gamma": Same("weight"), "beta": Same("bias")}

# What happens to the arrays, by the class of the layer: {variable: the tensor's last name and what becomes of it}.
# What our own layers have besides is stored as it is.
ARRAYS = {
    layers.Dense: {"kernel": Transposed("weight"), "bias": Same("bias")},
    layers.Conv1D: {"kernel": Transposed("weight"), "bias": Same("bias")},
    **dict.fromkeys(
        (layers.Conv2D, layers.Conv2DTranspose, layers.Conv3D), {"kernel": Kernel("weight"), "bias": Same("bias")}
    ),
    layers.DepthwiseConv2D: {"kernel": DepthwiseKernel("weight"), "bias": Same("bias")},
    layers.Embedding: {"embeddings": Same("weight")},
    layers.LayerNormalization: NORM,
    layers.GroupNormalization: NORM,
    layers.BatchNormalization: NORM | {"moving_mean": Same("running_mean"), "moving_variance": Same("running_var")},
    layers.RMSNormalization: {"scale": Same("weight")},
    VocabularyHead: {"kernel": Transposed("weight"), "bias": Same("bias")},
}


class Conv1D(str):
    """The Hub's name of a dense layer whose matrix is stored as (in, out), as GPT-2 has them: `Conv1D("mlp.c_fc")`."""


@dataclass(frozen=True)
class Fused:
    """One stored module that several of our layers share: `{"{query,key,value}": Fused("qkv")}`.

    Its rows are those of the layers, in the order of the choices on the left of the table's row.

    Args:
        name: the Hub's name of the module (which may be a `Conv1D`); in a dict of tensor names, of the tensor.
        by_head: the field of the configuration with the number of groups of heads, where the stored rows go by group
            and each holds its rows of the first layer, of the second and so on. Default: all of one layer together.
    """

    name: str
    by_head: str = ""
    place: int = 0  # which of the choices


@dataclass(frozen=True)
class Part:
    """A variable stored with others in one tensor: rows `start` to `stop` of each of its groups of `size` rows.

    `flipped` tensors are stored with columns in the place of rows.
    """

    array: Same
    groups: int
    size: int
    start: int
    stop: int
    flipped: bool

    def load(self, stored):
        rows = self._rows(stored)
        return self.array.load(rows.reshape(-1, *rows.shape[2:]))

    def save_into(self, stored, values):
        rows = self._rows(stored)
        rows[...] = self.array.save(values).reshape(rows.shape)

    def stored_shape(self, shape):
        whole = (self.groups * self.size, *self.array.stored_shape(shape)[1:])
        return whole[::-1] if self.flipped else whole

    def _rows(self, stored):
        stored = stored.T if self.flipped else stored
        return stored.reshape(self.groups, self.size, *stored.shape[1:])[:, self.start : self.stop]


COUNTER = "num_batches_tracked"  # how many batches a batch normalisation has seen: PyTorch stores it, nobody needs it
LEGACY = {"weight": "gamma", "bias": "beta"}  # how layer normalisations were stored in TensorFlow's time


@dataclass(frozen=True, eq=False)
class Slot:
    """One variable and the tensor that stores it."""

    path: str  # ours, "backbone.blocks.0.attention.query.kernel"
    layer: layers.Layer
    variable: Variable
    tensor: str  # the Hub's, "bert.encoder.layer.0.attention.self.query.weight"
    array: Same | Part
    module: str  # the part of the model that a checkpoint may lack as a whole ("head", "pooler"), or ""
    fused: Fused | None = None  # how the tensor holds other variables besides
    others: tuple = ()  # what checkpoints call the tensor besides, by falling preference
    saved: bool = True  # whether it is stored; else it follows from a formula

    @property
    def names(self):
        """All that checkpoints call the tensor, by falling preference."""
        for name in (self.second_tensor, self.tensor, *self.others):
            if name:
                module, _, last = name.rpartition(".")
                yield from (name, f"{module}.{LEGACY.get(last)}")

    @property
    def stored_shape(self):
        return self.array.stored_shape(self.variable.shape)

    @property
    def initializer(self):
        """What draws the first values of the variable, where a checkpoint lacks it."""
        if type(self.layer) is layers.RMSNormalization:
            return initializers.Ones()  # Keras leaves no choice there
        return getattr(self.layer, f"{self.variable.name}_initializer")

    @property
    def second_tensor(self):
        """Transformers 5 keeps the bias over the vocabulary twice and, where no weights are tied, reads this one."""
        if isinstance(self.layer, VocabularyHead) and self.variable.name == "bias":
            return f"{self.tensor.removesuffix('bias')}decoder.bias"
        return None


class Names:
    """The translation table of an architecture.

    Args:
        rows: {our layer path: the Hub's module name}. The longest row that a path begins with counts, the rest of the
            path is kept, so what agrees is not written. `{n}` stands for a number, `{a,b}` on the left for a choice
            that goes with the same place in the braces on the right. On the right may also stand a `Fused`, or a dict
            of full tensor names, {variable: tensor}.
        prefix: the Hub's name for the backbone inside a model with a head.
        where: rows that go before the others where a field of the configuration is true, {field: rows}.
        heads: rows for the layers outside the backbone, {ends of class names, separated by spaces: rows}.
        optional: layers or variables of the backbone, by their paths, that a checkpoint may lack, and that may be left
            unused.
        ignored: tensors that hold nothing of their own, without the prefix and with `{n}` for numbers: tied copies,
            constant buffers.
        copies: {a tensor or module: others, without the prefix and with `{n}` for numbers, that hold the same; any of
            them may be there in its place}.
        unsaved: tensors of the backbone, without the prefix, that follow from a formula and that are not stored.
        parts: the layers that are whole models, each stored as its own table says, {our path: the Hub's prefix}. What
            two of them share is stored once, by the name that it has in the first of them.
    """

    def __init__(
        self,
        rows=None,
        *,
        prefix="",
        where=None,
        heads=None,
        optional=(),
        ignored=(),
        copies=None,
        unsaved=(),
        parts=None,
    ):
        self.prefix, self.optional, self.copies, self.unsaved = prefix, tuple(optional), copies or {}, tuple(unsaved)
        self.parts = parts or {}
        self.ignored = [name.split(".") for name in ignored]
        self.rows = _expand(rows or {})
        self.where = {field: _expand(special) for field, special in (where or {}).items()}
        self.heads = [(tuple(ends.split()), _expand(head)) for ends, head in (heads or {}).items()]

    def slots(self, model):
        """Every variable of `model` with its tensor, as the reference would store this class."""
        told = {}  # by variable
        for path, inner, name in self._parts(model):
            inside = path.startswith("backbone.")
            prefix = f"{self.prefix}." if inside and self.prefix else ""
            for slot in names_of(inner).slots(inner):
                slot, key = _under(path, f"{prefix}{name}.", slot), id(slot.variable)
                others = [other for tensor in (slot.tensor, *slot.others) for other in self._others(tensor, inside)]
                slot = replace(slot, others=(*slot.others, *others))
                if key in told:
                    slot = replace(told[key], others=(slot.tensor, *slot.others, *told[key].others))
                told[key] = slot
        return [*told.values(), *self._own_slots(model, set(told))]

    def _parts(self, model):
        """The (path, model, the Hub's prefix) of the whole models in this one."""
        inside, layers = "backbone." if hasattr(model, "backbone") else "", dict(model.named_layers())
        return [(inside + p, layers[inside + p], name) for p, name in self.parts.items() if inside + p in layers]

    def _own_slots(self, model, told):
        """Those of the variables whose ids nobody has told of."""
        cls = public_class(model).__name__
        head_rows = [row for ends, rows in self.heads if cls.endswith(ends) for row in rows]
        special = [row for field, rows in self.where.items() if getattr(model.config, field) for row in rows]
        rows = special + self.rows
        found, seen = [], set(told)
        for path, layer in model.named_layers():
            inner = {id(v) for _, child in getattr(layer, "named_layers", list)() for v in child.weights}
            for variable in layer.weights:
                if id(variable) in inner | seen:
                    continue
                seen.add(id(variable))
                array = self._array(layer, variable)
                if path.startswith("backbone."):
                    local = path.removeprefix("backbone.")
                    tensor, array, fused = self._tensor(local, variable, array, rows, self.prefix)
                    module = self._optional(f"{local}.{variable.name}.")
                elif hasattr(model, "backbone"):
                    tensor, array, fused = self._tensor(path, variable, array, head_rows)
                    module = path.split(".")[0]
                else:
                    tensor, array, fused = self._tensor(path, variable, array, rows)
                    module = self._optional(f"{path}.{variable.name}.")
                others = self._others(tensor, hasattr(model, "backbone"))
                saved = self._local(tensor) not in self.unsaved
                slot = Slot(f"{path}.{variable.name}", layer, variable, tensor, array, module, fused, others, saved)
                found.append(slot)
        return _divide(found, model.config)

    def _optional(self, path):
        """The optional part that a variable belongs to, or ""."""
        return next((o for o in self.optional if path.startswith(f"{o}.")), "")

    @staticmethod
    def _array(layer, variable):
        for cls in type(layer).__mro__:
            if variable.name in ARRAYS.get(cls, {}):
                return ARRAYS[cls][variable.name]
        if isinstance(layer, Layer):
            return Same(variable.name)
        raise TypeError(
            f"presets/io/translate.py does not say how {variable.path} of a {type(layer).__name__} is stored"
        )

    @staticmethod
    def _tensor(path, variable, array, rows, prefix=""):
        """The name of the tensor, how the variable is stored, and the `Fused` if it shares the tensor with others."""
        found, last = _translate(path, rows), f".{array.name}"
        if isinstance(found, dict):
            found, last = found[variable.name], ""
        fused = found if isinstance(found, Fused) else None
        if isinstance(found, Conv1D):
            array = Same(array.name)
        name = (fused.name if fused else found) + last
        return f"{prefix}.{name}" if prefix else name, array, fused

    def _local(self, tensor):
        return tensor.removeprefix(f"{self.prefix}.")

    def _others(self, tensor, has_head):
        """What else a tensor may be called: the base prefix may be missing or extra, and it may have copies."""
        local, prefix = self._local(tensor), self.prefix and f"{self.prefix}."
        others = [local if has_head else prefix + tensor] if prefix else []
        segments = local.split(".")
        for name, copies in self.copies.items():
            numbers = _match(name.split("."), segments)
            if numbers is not None:
                found = [_fill(copy, numbers, segments[name.count(".") + 1 :]) for copy in copies]
                others += [begin + copy for copy in found for begin in dict.fromkeys(("", prefix))]
        return tuple(others)

    def unknown(self, model, stored, used):
        """The `stored` tensors of the backbone that no layer uses. Those of heads that this model does not have may be
        left."""
        prefix = f"{self.prefix}."
        prefixed = self.prefix and any(name.startswith(prefix) for name in stored)
        backbone = [name for name in stored if not prefixed or name.startswith(prefix)]
        found = []
        for _, inner, name in self._parts(model):
            part = f"{prefix if prefixed else ''}{name}."
            own, theirs = ([n.removeprefix(part) for n in names if n.startswith(part)] for names in (stored, used))
            found += [part + n for n in names_of(inner).unknown(inner, own, set(theirs))]
            backbone = [n for n in backbone if not n.startswith(part)]
        return found + [name for name in backbone if name not in used and not self.is_spare(self._local(name))]

    def is_spare(self, tensor):
        """Whether a stored tensor of the backbone (without the prefix) may be left unused."""
        segments = tensor.split(".")
        if segments[-1] == COUNTER:
            return True
        spare = [m.split(".") for layer in self.optional if isinstance(m := _translate(layer, self.rows), str)]
        return any(_match(module, segments) is not None for module in self.ignored + spare)


def _under(path, prefix, slot):
    """The slot of a model, as that of the one it is a part of."""
    module, others = slot.module and f"{path}.{slot.module}", tuple(prefix + name for name in slot.others)
    return replace(slot, path=f"{path}.{slot.path}", tensor=prefix + slot.tensor, module=module, others=others)


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
    """The table for a model: `presets/X.py` of the architecture file X that defines its class, else of X's parent.

    Where classes disagree on the names, NAMES is a dict of tables by class, "" for the rest.
    """
    for cls in public_class(model).__mro__:
        if cls.__module__.startswith("keras_tfm.models."):
            table = cls.__module__.replace("keras_tfm.models.", "keras_tfm.presets.")
            if importlib.util.find_spec(table) is not None:
                names = importlib.import_module(table).NAMES
                return names.get(cls.__name__, names.get("")) if isinstance(names, dict) else names
    return Names()  # every name agrees


def _divide(slots, config):
    """Tells the slots of fused tensors which rows are theirs."""
    sharing = {}
    for slot in slots:
        if slot.fused:
            sharing.setdefault(slot.tensor, []).append(slot)
    parts = {}
    for together in sharing.values():
        together.sort(key=lambda slot: slot.fused.place)
        by_head = together[0].fused.by_head
        groups, flipped = getattr(config, by_head) if by_head else 1, isinstance(together[0].fused.name, Conv1D)
        sizes = [slot.stored_shape[0] // groups for slot in together]
        for slot, size, stop in zip(together, sizes, itertools.accumulate(sizes), strict=True):
            parts[slot] = replace(slot, array=Part(slot.array, groups, sum(sizes), stop - size, stop, flipped))
    return [parts.get(slot, slot) for slot in slots]


_CHOICES = re.compile(r"\{([^{}]*,[^{}]*)\}")


def _expand(rows):
    """Writes the choices `{a,b}` of the rows out: a list of (left segments, right)."""
    expanded = []
    for left, right in rows.items():
        choices = _CHOICES.search(left)
        if choices is None:
            expanded.append((left.split("."), right))
            continue
        options = choices[1].split(",")
        for ours, theirs in zip(options, _choose(right, len(options)), strict=True):
            expanded += _expand({left.replace(choices[0], ours, 1): theirs})
    return expanded


def _choose(right, count):
    """The right side of a row for each of the choices on the left."""
    if isinstance(right, Fused):
        return [replace(right, place=i) for i in range(count)]
    if isinstance(right, dict):
        columns = zip(*(_choose(tensor, count) for tensor in right.values()), strict=True)
        return [dict(zip(right, tensors, strict=True)) for tensors in columns]
    choices = _CHOICES.search(right)
    return [type(right)(right.replace(choices[0], option, 1)) for option in choices[1].split(",")]


def _translate(path, rows):
    """The Hub's name for our path, by the longest row that it begins with."""
    segments = path.split(".")
    best, name = 0, path
    for left, right in rows:
        numbers = _match(left, segments)
        if numbers is not None and len(left) > best:
            best = len(left)
            name = _fill(right, numbers, segments[best:])
    return name


def _fill(right, numbers, rest=()):
    """The right side of a row with its numbers filled in, and what is left of the path behind it."""
    if isinstance(right, Fused):
        return replace(right, name=_fill(right.name, numbers))
    if isinstance(right, dict):
        return {variable: _fill(tensor, numbers) for variable, tensor in right.items()}
    return type(right)(".".join([right.format(**numbers), *rest]))


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

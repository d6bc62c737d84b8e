"""Losses of models that predict a set: each object of a picture is matched with the query that suits it best.

Labels are fixed arrays, so that `fit` compiles: `class_labels` (B, N), -100 where a picture has fewer than N objects.
Shapes: B batch, Q queries, N objects.
"""

import functools

import numpy as np
from keras import ops

from keras_tfm.runtime.loops import assignment_solver, compiled_loop
from keras_tfm.training.losses import IGNORED

HUGE = 1e10  # the cost of what cannot be computed


def assign(costs, real):
    """The assignment of objects to different queries that costs the least in sum, exactly, for each example.

    Args:
        costs: (B, Q, N). NaN and infinite ones count as huge. They get no gradients.
        real: (B, N), False for padding.

    Returns:
        (B, N) int32, the query of each object; -1 for padding, and for what is left over where there are more objects
        than queries.
    """
    costs = ops.stop_gradient(ops.cast(costs, "float32"))
    costs = ops.clip(ops.nan_to_num(costs, nan=HUGE, posinf=HUGE, neginf=-HUGE), -HUGE, HUGE)
    costs, real = ops.transpose(costs, (0, 2, 1)), ops.cast(real, "bool")
    solver = assignment_solver()
    if solver is not None:
        return _one_by_one(solver, costs, real)
    matched = compiled_loop(_shortest_paths)(costs, real)
    return ops.reshape(matched, ops.shape(real))  # TensorFlow forgets the shape on the way


class SetLoss:
    """What a model that predicts a set is trained with: the sum of several terms, for its last layer and for those
    before it whose predictions it shows. Each layer's queries are matched anew.

    Subclasses say how well queries suit objects (`costs`), what the terms of a layer are (`terms`) and how much each
    counts (`weights`, {term: weight}).
    """

    predictions = ()  # the outputs that it looks at
    auxiliary = "auxiliary_outputs"  # the output that holds those of the layers before: dicts of the same names

    def __init__(self, config):
        self.config = config

    def __call__(self, outputs, labels):
        """The loss, a scalar. See `by_layer`."""
        weights = self.weights()
        return sum(weights[name] * term for terms in self.by_layer(outputs, labels) for name, term in terms.items())

    def by_layer(self, outputs, labels):
        """The terms of each layer as a dict of scalars, the last layer's first, not yet weighted.

        Args:
            outputs: a dict of the model's predictions.
            labels: a dict of arrays, among them `class_labels` (B, N).
        """
        layers = [
            {name: ops.cast(layer[name], "float32") for name in self.predictions if name in layer}
            for layer in (outputs, *outputs.get(self.auxiliary, ()))
        ]
        real = ops.not_equal(labels["class_labels"], IGNORED)
        count = ops.maximum(ops.sum(ops.cast(real, "float32")), 1.0)
        costs = ops.concatenate([self.costs(layer, labels) for layer in layers])
        matched = ops.split(assign(costs, ops.concatenate([real] * len(layers))), len(layers))  # in one go
        return [self.terms(layer, labels, m, count) for layer, m in zip(layers, matched, strict=True)]

    def labels(self, outputs):
        """The names of the labels that it needs for these outputs."""
        raise NotImplementedError

    def weights(self):
        raise NotImplementedError

    def costs(self, outputs, labels):
        """The cost (B, Q, N) of each query for each object."""
        raise NotImplementedError

    def terms(self, outputs, labels, matched, count):
        """The terms of one layer, by the reference's names, from the query (B, N) of each object, -1 for none, and
        the number of objects."""
        raise NotImplementedError


def softmax_class_costs(logits, classes):
    """How little the queries take the objects for what they are: logits (B, Q, classes + 1), class_labels (B, N) ->
    (B, Q, N)."""
    return -of_class(ops.softmax(logits), classes)


def of_class(scores, classes):
    """scores (B, Q, C) and class_labels (B, N) -> each query's score (B, Q, N) for the objects' classes."""
    return ops.take_along_axis(scores, ops.maximum(_int(classes), 0)[:, None], axis=2)


def of_queries(values, matched):
    """values (B, Q, ..) of the queries, and the objects' queries (B, N) -> (B, N, ..), the first's for -1."""
    batch, queries, *rest = ops.shape(values)
    index = ops.maximum(matched, 0) + ops.arange(batch)[:, None] * queries
    return ops.take(ops.reshape(values, (batch * queries, *rest)), index, axis=0)


def wanted_classes(logits, classes, matched, nothing):
    """The class (B, Q) that each query should predict: that of its object, or `nothing`."""
    own = matched[:, None] == ops.arange(ops.shape(logits)[1])[:, None]  # (B, Q, N)
    found = ops.max(ops.where(own, _int(classes)[:, None], -1), axis=2)
    return ops.where(found < 0, nothing, found)


def softmax_class_loss(logits, classes, matched, nothing_weight):
    """Cross entropy of the queries' classes, weighted where they should find nothing, the last class.

    logits (B, Q, classes + 1), class_labels (B, N), the objects' queries (B, N) -> a scalar.
    """
    nothing = logits.shape[-1] - 1
    wanted = wanted_classes(logits, classes, matched, nothing)
    weights = ops.where(wanted == nothing, nothing_weight, 1.0)
    losses = ops.sparse_categorical_crossentropy(wanted, logits, from_logits=True)
    return ops.sum(weights * losses) / ops.sum(weights)


def sum_of_matched(losses, matched, count):
    """losses (B, N) of the objects -> their sum over those that have a query, by the number of objects."""
    return ops.sum(ops.where(matched >= 0, losses, 0.0)) / count


def _one_by_one(solver, costs, real):
    costs, real = ops.convert_to_numpy(costs), ops.convert_to_numpy(real)
    matched = np.full(real.shape, -1, "int32")
    for row, cost, counted in zip(matched, costs, real, strict=True):
        objects, queries = solver(cost[counted])
        row[np.flatnonzero(counted)[objects]] = queries
    return ops.convert_to_tensor(matched)


def _shortest_paths(costs, real):
    """The method of shortest augmenting paths (Jonker and Volgenant, 1987), for all examples at once.

    costs (B, N, Q), real (B, N) -> (B, N). The state, with one query more than there are, for what is left over:
    `owner` (B, Q), the object of each query or -1; `query` (B, N), the query of each object or -1; `price` (B, Q), at
    which no object gains by a change; `left` (B, N), the objects still to be assigned.
    """
    objects, queries = ops.shape(costs)[1:]
    low, high = (f(ops.where(real[..., None], costs, 0.0), axis=(1, 2), keepdims=True) for f in (ops.min, ops.max))
    none = high + (high - low + 1) * ops.cast(objects, costs.dtype)  # dearer than any change among the others
    costs = ops.concatenate([costs, none + ops.zeros_like(costs[..., :1])], axis=2)

    # To begin with, each object has its favourite query, if no other one has it already.
    favourite = _int(ops.argmin(costs[..., :-1], axis=2))
    wishes = _at(favourite, queries + 1) & real[..., None]  # (B, N, Q + 1)
    owner = ops.where(ops.any(wishes, axis=1), _int(ops.argmax(wishes, axis=1)), -1)
    left = real & (ops.take_along_axis(owner, favourite, axis=1) != ops.arange(objects))
    state = owner, ops.where(real & ~left, favourite, -1), ops.zeros_like(costs[:, 0]), left
    _, query, _, _ = ops.while_loop(lambda *state: ops.any(state[-1]), functools.partial(_assign_next, costs), state)
    return ops.where(query == queries, -1, query)


def _assign_next(costs, owner, query, price, left):
    """Assigns the first of the objects that are left in each example: it takes a query from another one, which takes
    one from another .., along the path to a free query that costs the least."""
    size = ops.shape(owner)[1]
    busy, new = ops.any(left, axis=1), _int(ops.argmax(left, axis=1))

    def search(going, end, length, via, seen):
        """Dijkstra's step: `length` (B, Q) of the path to each query, `via` (B, Q) the object before it."""
        end = ops.where(going, _int(ops.argmin(ops.where(seen, np.inf, length), axis=1)), end)
        before = _pick(owner, end)
        going = going & (before >= 0)
        before = ops.maximum(before, 0)
        seen = seen | (_at(end, size) & going[:, None])
        cost = _pick(costs, before)
        longer = cost - price + (_pick(length, end) - _pick(cost - price, end))[:, None]
        better = (longer < length) & ~seen & going[:, None]
        return going, end, ops.where(better, longer, length), ops.where(better, before[:, None], via), seen

    def turn(going, end, owner, query):
        """Gives the query at the path's end to the object before it, whose old query is the path's new end."""
        taker = _pick(via, end)
        taken = _at(end, size) & going[:, None] & (ops.arange(size) < size - 1)  # the last query is free for ever
        owner = ops.where(taken, taker[:, None], owner)
        given = ops.where(_at(taker, ops.shape(query)[1]) & going[:, None], end[:, None], query)
        return going & (taker != new), ops.maximum(_pick(query, taker), 0), owner, given

    def goes_on(going, *_):
        return ops.any(going)

    start = (
        busy,
        ops.zeros_like(new),
        _pick(costs, new) - price,
        ops.zeros_like(owner) + new[:, None],
        ops.zeros_like(owner, "bool"),
    )
    _, end, length, via, seen = ops.while_loop(goes_on, search, start)
    price = price + ops.where(seen, length - _pick(length, end)[:, None], 0.0)
    _, _, owner, query = ops.while_loop(goes_on, turn, (busy, end, owner, query))
    return owner, query, price, left & ~_at(new, ops.shape(left)[1])


def _int(x):
    return ops.cast(x, "int32")


def _at(index, size):
    """index (..,) -> (.., size), True there."""
    return index[..., None] == ops.arange(size)


def _pick(x, index):
    """x (B, S, ..), index (B,) -> (B, ..)."""
    return ops.take_along_axis(x, ops.reshape(index, (-1,) + (1,) * (len(x.shape) - 1)), axis=1)[:, 0]

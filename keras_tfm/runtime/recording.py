"""Recordings of what a function does with torch: its operations alone, without Keras' Python in between."""

import torch
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import DataDependentOutputException
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

aten = torch.ops.aten

KEPT = 32  # so many recordings a model keeps, those used last


def recorded(recordings, key, function, arguments, patience=1, uses_up=False):
    """The recording that is kept for `key`, made when `patience` calls have gone before; for these, the function
    itself: shapes that never come again are not worth recording.

    Args:
        recordings: an `OrderedDict` to keep them in.
        uses_up: whether the recording may write into its arguments.
    """
    known = recordings.get(key, 0)
    if known == patience:
        recordings[key] = _record(function, arguments, uses_up)
    elif isinstance(known, int):
        recordings[key] = known + 1
        if len(recordings) > KEPT:
            recordings.popitem(last=False)
        return function
    recordings.move_to_end(key)
    return recordings[key]


def _record(function, arguments, uses_up):
    """`function` as a straight list of torch operations on tensors of these shapes.

    The weights stay the model's own. Returns `function` where it reads values of tensors to decide what to do.
    """
    # As torch's functions, not as the smaller operations that they consist of, each of which costs a call.
    record = make_fx(function, tracing_mode="fake", pre_dispatch=True, _allow_non_fake_inputs=True)
    try:
        with torch.inference_mode(False), torch.no_grad():
            module = record(*arguments)
    except (DataDependentOutputException, GuardOnDataDependentSymNode):
        return function
    graph = module.graph
    if _nothing_is_written_into(graph):
        _simplify(graph)
        _merge(module)
        graph.eliminate_dead_code()
        if uses_up:
            _write_in_place(graph)
    module.recompile()
    return module


def _nothing_is_written_into(graph):
    """Writes `x.add_(y)` as `x.add(y)` where no other operation sees x, and says whether no other writing is left:
    then operations can be merged and left out."""
    for node in list(graph.nodes):
        if isinstance(node.target, OpOverload) and node.target._schema.is_mutable:
            old, name = node.args[0], node.target._schema.name.removesuffix("_")
            made = old.op == "call_function" and all(r.alias_info is None for r in old.target._schema.returns)
            if len(old.users) > 1 or not made or not hasattr(aten, name.removeprefix("aten::")):
                return False
            node.target = getattr(getattr(aten, name.removeprefix("aten::")), node.target._overloadname)
    return True


def _merge(module):
    """Computes once what every layer computes anew: masks, places in the cache, changes of shape."""
    first = {}
    for node in module.graph.nodes:
        if node.target is aten.lift_fresh_copy.default:  # of a number in the program
            value = getattr(module, node.args[0].target)
            what = value.dtype, value.tolist()
        elif isinstance(node.target, OpOverload) and torch.Tag.nondeterministic_seeded not in node.target.tags:
            what = node.target, node.args, node.kwargs
        elif node.op == "get_attr":
            what = node.target
        else:
            continue
        if (same := first.setdefault(str(what), node)) is not node:
            node.replace_all_uses_with(same)
            module.graph.erase_node(node)


def _simplify(graph):
    """Leaves out conversions that change nothing, copies that only put memory in order and shapes that only lead to
    others; adds biases within the matrix products."""

    def replace(node, new):
        new.meta.setdefault("val", node.meta["val"])
        node.replace_all_uses_with(new)
        graph.erase_node(node)

    for node in [node for node in graph.nodes if node.op == "call_function"]:
        match node.target:
            case aten.to.dtype | aten.to.dtype_layout | aten.to.device if _is_the_same(node, node.args[0]):
                replace(node, node.args[0])
            case aten.contiguous.default if all("scaled_dot_product" in str(user.target) for user in node.users):
                replace(node, node.args[0])
            case aten.reshape.default if node.args[0].target is aten.reshape.default:
                node.args = (node.args[0].args[0], node.args[1])
            case aten.add.Tensor if getattr(node.args[0], "target", None) is aten.matmul.default and not node.kwargs:
                product, bias = node.args
                x, kernel = product.args
                alone = len(product.users) == 1 and getattr(bias, "op", None) == kernel.op == "get_attr"
                if alone and bias.meta["val"].shape == kernel.meta["val"].shape[1:]:
                    with graph.inserting_before(node):
                        kernel = graph.call_function(aten.t.default, (kernel,))
                        replace(node, graph.call_function(aten.linear.default, (x, kernel, bias)))


def _is_the_same(converted, x):
    """Whether a conversion has nothing to do."""
    old, new = x.meta["val"], converted.meta["val"]
    return (old.dtype, old.device) == (new.dtype, new.device) and not any(a is True for a in converted.args)


def _write_in_place(graph):
    """Has new keys and values written into the cache that came in, where nothing else looks at it: not into a copy."""
    for node in graph.find_nodes(op="call_function", target=aten.index_copy.default):
        if node.args[0].op == "placeholder" and len(node.args[0].users) == 1:
            node.target = aten.index_copy_.default

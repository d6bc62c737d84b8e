"""Compiling a model's forward pass, or a loop around it, on the backend that Keras runs on."""

import functools
import threading
from collections import OrderedDict

import keras
import numpy as np

GRAPHS = 32  # so many recordings a model keeps on torch, those used last


def compiled(model):
    """A function of one dict of arrays, and of `call`'s options, that runs `model` and returns NumPy arrays.

    Compiled by XLA on JAX, once for every set of names and shapes, so callers pad to a few lengths; a graph for all
    shapes on TensorFlow; on torch a recording, made at the second call with a set of names and shapes. Values assigned
    to the weights between calls are seen. (`predict_on_batch` cannot pass options on.)
    """
    ways = {
        "jax": lambda model, _: _jax(model),
        "tensorflow": lambda model, _: _tensorflow(model),
        "torch": lambda model, _: _torch(model),
    }
    run = _compile(model, None, ways)
    return lambda inputs, **options: keras.tree.map_structure(np.asarray, run(inputs, **options))


def program(model, function):
    """`function`, of any nested arrays, compiled; it may call `model`. It returns tensors of the backend.

    Compiled by XLA on JAX and TensorFlow, once for every set of shapes; on JAX the arrays of the first argument are
    used up. On torch it runs as it is: what is not repeated many times over does not earn the seconds of a recording.
    """
    ways = {"jax": _jax_program, "tensorflow": _tensorflow_program, "torch": _torch_program}
    return _compile(model, function, ways)


def loop(model, step, going):
    """A function of a state (a dict with `length`), `until` and further arguments: `state = step(state, *arguments)`
    over and over, as long as `state["length"] < until` and `going(state)`; it returns the last state.

    One program on JAX and TensorFlow, see `program`; on torch Python repeats the step, which is recorded when it has
    been called a few times.
    """
    if keras.backend.backend() == "torch":
        run = _compile(model, step, {"torch": _torch_step})

        def repeat_in_python(state, until, *arguments):
            while state["length"] < until and going(state):
                state = run(state, *arguments)
            return state

        return repeat_in_python

    def repeat(state, until, *arguments):
        def go_on(state):
            return keras.ops.logical_and(state["length"] < until, going(state))

        return keras.ops.while_loop(go_on, lambda state: (step(state, *arguments),), (state,))[0]

    return program(model, repeat)


def _compile(model, function, ways):
    """What the backend's way makes of the function, anew when the model's variables have become others."""
    way = ways.get(keras.backend.backend())
    if way is None:
        raise ValueError(f"nothing compiles on the Keras backend {keras.backend.backend()!r}; use {', '.join(ways)}")
    compiled, known = None, []

    def run(*arguments, **options):
        nonlocal compiled, known
        variables = model.variables
        if compiled is None or [*map(id, variables)] != [*map(id, known)]:  # else since quantize() or enable_lora()
            compiled, known = way(model, function), variables
        return compiled(*arguments, **options)

    return run


def _jax_program(model, function):
    import jax

    variables = model.variables

    @functools.partial(jax.jit, donate_argnums=1)
    def run(weights, state, *arguments):
        with keras.StatelessScope(state_mapping=zip(variables, weights, strict=True)):
            return function(state, *arguments)

    # The weights are passed in, or they would be baked in as constants.
    return lambda state, *arguments: run([v.value for v in variables], state, *arguments)


def _tensorflow_program(model, function):
    import tensorflow as tf

    @functools.cache
    def program_for(shapes):  # one each, or TensorFlow warns of tracing the same one for many shapes
        return tf.function(function, jit_compile=True, autograph=False)

    def run(*arguments):
        arguments = tf.nest.map_structure(tf.convert_to_tensor, arguments)
        return program_for(tuple((*x.shape, x.dtype) for x in tf.nest.flatten(arguments)))(*arguments)

    return run


def _torch_program(model, function):
    import torch

    def run(*arguments):
        with torch.inference_mode():
            return function(*keras.tree.map_structure(keras.ops.convert_to_tensor, arguments))

    return run


def _torch_step(model, function):
    import torch

    recordings, lock = OrderedDict(), threading.Lock()

    def step(*arguments):  # a bound method is no function to `make_fx`
        return function(*arguments)

    def run(*arguments):
        arguments = keras.tree.map_structure(keras.ops.convert_to_tensor, arguments)
        key = tuple((x.shape, x.dtype) for x in keras.tree.flatten(arguments))
        with lock, torch.inference_mode():
            return _recorded(recordings, key, step, arguments, patience=8)(*arguments)

    return run


def _jax(model):
    import jax

    @functools.partial(jax.jit, static_argnums=3)
    def forward(trainable, frozen, inputs, options):
        return model.stateless_call(trainable, frozen, inputs, training=False, **dict(options))[0]

    def run(inputs, **options):
        trainable = [v.value for v in model.trainable_variables]  # passed in, or they would be baked in as constants
        frozen = [v.value for v in model.non_trainable_variables]
        return forward(trainable, frozen, inputs, tuple(sorted(options.items())))

    return run


def _tensorflow(model):
    import tensorflow as tf

    @functools.cache
    def forward(options):
        return tf.function(lambda inputs: model(inputs, training=False, **dict(options)), reduce_retracing=True)

    # As tensors, since every new NumPy array would be traced anew.
    return lambda inputs, **options: forward(tuple(sorted(options.items())))(
        {name: tf.convert_to_tensor(x) for name, x in inputs.items()}
    )


def _torch(model):
    import torch

    recordings, lock = OrderedDict(), threading.Lock()

    def forward_for(inputs, options):
        """The model itself at the first call with these shapes and options, then its recording."""
        forward = functools.partial(model, training=False, **options)
        key = tuple((name, x.shape, x.dtype) for name, x in inputs.items()), tuple(sorted(options.items()))
        with lock:
            return _recorded(recordings, key, forward, (inputs,))

    def run(inputs, **options):
        tensors = {name: keras.ops.convert_to_tensor(inputs[name]) for name in sorted(inputs)}
        with torch.inference_mode():
            outputs = forward_for(tensors, options)(tensors)
            return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    return run


def _recorded(recordings, key, function, arguments, patience=1):
    """The recording that is kept for `key`, made when `patience` calls have gone before; for these, the function
    itself: shapes that never come again are not worth recording."""
    known = recordings.get(key, 0)
    if known == patience:
        recordings[key] = _record(function, arguments)
    elif isinstance(known, int):
        recordings[key] = known + 1
        if len(recordings) > GRAPHS:
            recordings.popitem(last=False)
        return function
    recordings.move_to_end(key)
    return recordings[key]


def _record(forward, arguments):
    """`forward` as a straight list of torch operations on tensors of these shapes, without Keras' Python in between.

    The weights stay the model's own. Returns `forward` where it reads values of tensors to decide what to do.
    """
    import torch
    from torch._subclasses.fake_tensor import DataDependentOutputException
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

    try:
        with torch.inference_mode(False), torch.no_grad():
            module = make_fx(forward, tracing_mode="fake", _allow_non_fake_inputs=True)(*arguments)
    except (DataDependentOutputException, GuardOnDataDependentSymNode):
        return forward
    _fuse(module.graph)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _fuse(graph):
    """Adds biases within the matrix products, and leaves out copies that only put memory in order."""
    import torch

    aten = torch.ops.aten
    calls = [node for node in graph.nodes if node.op == "call_function"]
    if any(isinstance(n.target, torch._ops.OpOverload) and n.target._schema.is_mutable for n in calls):
        return  # a copy may be there to be written into

    def call(node, target, *args):
        with graph.inserting_before(node):
            return graph.call_function(target, args)

    for node in calls:
        match node.target:
            case aten._unsafe_view.default if node.args[0].target is aten.clone.default:
                copy, shape = node.args
                node.replace_all_uses_with(call(node, aten.reshape.default, copy.args[0], shape))
            case aten.clone.default if all("scaled_dot_product" in str(user.target) for user in node.users):
                node.replace_all_uses_with(node.args[0])
            case aten.add.Tensor if getattr(node.args[1], "op", None) == "get_attr" and not node.kwargs:
                x, bias = node.args
                product = x.args[0] if x.target is aten._unsafe_view.default else x
                alone = product.target is aten.mm.default and len(product.users) == len(x.users) == 1
                if alone and bias.meta["val"].shape == product.meta["val"].shape[1:] == x.meta["val"].shape[-1:]:
                    total = call(node, aten.addmm.default, bias, *product.args)
                    node.replace_all_uses_with(call(node, aten.view.default, total, [*node.meta["val"].shape]))

"""Compiling a model's forward pass, or a loop around it, on the backend that Keras runs on."""

import functools
import threading
from collections import OrderedDict

import keras
import numpy as np


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
    been called a few times. There, too, the arrays of the first state are used up.
    """

    def goes_on(state, until):
        return keras.ops.logical_and(state["length"] < until, going(state))

    if keras.backend.backend() == "torch":
        return _compile(model, (step, goes_on), {"torch": _torch_loop})

    def repeat(state, until, *arguments):
        def advance(state):
            return (step(state, *arguments),)

        return keras.ops.while_loop(lambda state: goes_on(state, until), advance, (state,))[0]

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


def _torch_loop(model, functions):
    import torch

    from keras_tfm.runtime.recording import recorded

    step, goes_on = functions
    recordings, lock = OrderedDict(), threading.Lock()

    def repeat(*arguments):
        arguments = keras.tree.map_structure(keras.ops.convert_to_tensor, arguments)
        key = str(keras.tree.map_structure(lambda x: (*x.shape, x.dtype), arguments))
        state, until = arguments[:2]
        leaves, kept = keras.tree.flatten(arguments), len(keras.tree.flatten(state))
        leaves[:kept] = [x.contiguous() for x in leaves[:kept]]  # torch repeats one row without copying it

        def advance(*leaves):  # of lists, since walking through nested arguments takes longer than a layer
            state, until, *others = keras.tree.pack_sequence_as(arguments, leaves)
            state = step(state, *others)
            return [*keras.tree.flatten(state), goes_on(state, until)]

        with torch.inference_mode():
            going = goes_on(state, until)
            while going:
                with lock:
                    run = recorded(recordings, key, advance, leaves, patience=8, uses_up=True)
                *leaves[:kept], going = run(*leaves)
        return keras.tree.pack_sequence_as(state, leaves[:kept])

    return repeat


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

    from keras_tfm.runtime.recording import recorded

    recordings, lock = OrderedDict(), threading.Lock()

    def forward_for(inputs, options):
        """The model itself at the first call with these shapes and options, then its recording."""
        forward = functools.partial(model, training=False, **options)
        key = tuple((name, x.shape, x.dtype) for name, x in inputs.items()), tuple(sorted(options.items()))
        with lock:
            return recorded(recordings, key, forward, (inputs,))

    def run(inputs, **options):
        tensors = {name: keras.ops.convert_to_tensor(inputs[name]) for name in sorted(inputs)}
        with torch.inference_mode():
            outputs = forward_for(tensors, options)(tensors)
            return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    return run

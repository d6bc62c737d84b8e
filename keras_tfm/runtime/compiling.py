"""Compiling a model's forward pass on the backend that Keras runs on."""

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
    prepare = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}.get(keras.backend.backend())
    if prepare is None:
        raise ValueError(
            f"no compiled prediction for the Keras backend {keras.backend.backend()!r}; use jax, tensorflow or torch"
        )
    run, known = None, []

    def predict(inputs, **options):
        nonlocal run, known
        variables = model.variables
        if run is None or [*map(id, variables)] != [*map(id, known)]:  # else since quantize() or enable_lora()
            run, known = prepare(model), variables
        return keras.tree.map_structure(np.asarray, run(inputs, **options))

    return predict


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
            if key not in recordings:
                recordings[key] = None  # shapes that never come again are not worth recording
                if len(recordings) > GRAPHS:
                    recordings.popitem(last=False)
                return forward
            if recordings[key] is None:
                recordings[key] = _record(forward, inputs)
            recordings.move_to_end(key)
            return recordings[key]

    def run(inputs, **options):
        tensors = {name: keras.ops.convert_to_tensor(inputs[name]) for name in sorted(inputs)}
        with torch.inference_mode():
            outputs = forward_for(tensors, options)(tensors)
            return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    return run


def _record(forward, inputs):
    """`forward` as a straight list of torch operations on tensors of these shapes, without Keras' Python in between.

    The weights stay the model's own. Returns `forward` where it reads values of tensors to decide what to do.
    """
    import torch
    from torch._subclasses.fake_tensor import DataDependentOutputException
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

    try:
        with torch.inference_mode(False), torch.no_grad():
            module = make_fx(forward, tracing_mode="fake", _allow_non_fake_inputs=True)(inputs)
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

"""Compiling a model's forward pass on the backend that Keras runs on."""

import functools

import keras
import numpy as np


def compiled(model):
    """A function of one dict of arrays, and of `call`'s options, that runs `model` and returns NumPy arrays.

    Compiled by XLA on JAX, as a graph on TensorFlow, and run without gradients on torch. On JAX it compiles once for
    every set of names and shapes, so callers pad to a few lengths. (`predict_on_batch` cannot pass options on.)
    """
    match keras.backend.backend():
        case "jax":
            run = _jax(model)
        case "tensorflow":
            run = _tensorflow(model)
        case "torch":
            run = _torch(model)
        case other:
            raise ValueError(f"no compiled prediction for the Keras backend {other!r}; use jax, tensorflow or torch")
    return lambda inputs, **options: keras.tree.map_structure(np.asarray, run(inputs, **options))


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

    def run(inputs, **options):
        with torch.inference_mode():
            outputs = model(inputs, training=False, **options)
            return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    return run

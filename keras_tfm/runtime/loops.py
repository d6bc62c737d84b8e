"""Loops of many small steps, each of which takes less time than Python needs to ask for it."""

import functools

import keras


@functools.cache
def compiled_loop(function):
    """`function`, of tensors, as a program of its own, whether the code around it is compiled or not: by itself, Keras
    compiles nothing on TensorFlow without an accelerator. On torch it stays as it is."""
    match keras.backend.backend():
        case "jax":
            import jax

            return jax.jit(function)
        case "tensorflow":
            import tensorflow as tf

            return tf.function(function, jit_compile=True, autograph=False, reduce_retracing=True)
    return function


def assignment_solver():
    """SciPy's `linear_sum_assignment` on torch, if SciPy is installed; else None.

    Step by step, the same takes torch some hundred times as long. Compiled programs cannot call it: XLA on TensorFlow
    has no way out to Python, and JAX's waits for ever on a machine with one core.
    """
    if keras.backend.backend() != "torch":
        return None
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        return None
    return linear_sum_assignment

"""What is done outside of the backend.

Loops over single steps are fast in the programs that JAX and TensorFlow compile; on torch, where Python runs every step,
SciPy is tens of times faster. Those programs cannot call it: XLA on TensorFlow has no way out to Python, and JAX's waits
for ever on a machine with one core.
"""

import keras


def assignment_solver():
    """SciPy's `linear_sum_assignment` on torch, if SciPy is installed; else None."""
    if keras.backend.backend() != "torch":
        return None
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        return None
    return linear_sum_assignment

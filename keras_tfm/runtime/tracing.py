"""What a model may ask about the tensors it is called with."""

from keras.src.backend.common.symbolic_scope import in_symbolic_scope


def sizes_are_known(*sizes):
    """Whether these sizes are those of real data.

    While Keras infers shapes it calls the layers with placeholders. On JAX and TensorFlow their unknown sizes are no
    integers; on torch they are arbitrary ones (83, 89), which only Keras' own flag tells from real ones.
    """
    return all(isinstance(size, int) for size in sizes) and not in_symbolic_scope()

"""Mixtures of experts: several MLPs of which each token uses a few (arXiv:1701.06538, arXiv:2401.04088).

Shapes: B batch, T tokens, D width, E experts, K of them for each token.
"""

from keras import ops
from keras.layers import Dense

from keras_tfm.layers.base import Layer


class MixtureOfExperts(Layer):
    """The K experts that a router finds best for a token, weighted by how good.

    Every expert sees every token and the weights of those that were not chosen are zero: nothing depends on the
    router's choice but numbers, no token is dropped, and it compiles. Experts are layers like any other.

    Args:
        experts: the E layers, (.., D) -> (.., D).
        chosen: K.
    """

    def __init__(self, experts, chosen, **kwargs):
        super().__init__(**kwargs)
        self.chosen = chosen
        self.router = Dense(len(experts), use_bias=False)
        self.experts = experts

    def call(self, x):
        """x (.., D) -> (.., D), the router's scores (.., E)."""
        scores = self.router(x)
        weights = ops.cast(self.weights_of_experts(scores), x.dtype)
        return sum(weights[..., i, None] * expert(x) for i, expert in enumerate(self.experts)), scores

    def weights_of_experts(self, scores):
        """Scores (.., E) -> (.., E), 0 for those that are not chosen; the others' sum is 1."""
        best, experts = ops.top_k(ops.softmax(ops.cast(scores, "float32")), self.chosen)
        best = best / ops.sum(best, axis=-1, keepdims=True)
        return ops.sum(best[..., None] * ops.one_hot(experts, scores.shape[-1], dtype="float32"), axis=-2)


def balance_loss(scores, chosen, attention_mask=None):
    """How unevenly the tokens are spread over the experts, K where it is even (arXiv:2101.03961, equations 4 to 6).

    Args:
        scores: of the routers, (B * T, E) each.
        chosen: K.
        attention_mask: (B, T), 1 for the tokens that count. Default: all.
    """
    probabilities = ops.softmax(ops.cast(ops.stack(scores), "float32"))  # (routers, B * T, E)
    experts = probabilities.shape[-1]
    used = ops.sum(ops.one_hot(ops.top_k(probabilities, chosen)[1], experts, dtype="float32"), axis=-2)
    if attention_mask is not None:
        counted = ops.reshape(ops.cast(attention_mask, "float32"), (-1, 1))
        counted = counted / ops.mean(counted)
        probabilities, used = probabilities * counted, used * counted
    return experts * ops.sum(ops.mean(used, axis=(0, 1)) * ops.mean(probabilities, axis=(0, 1)))

"""XLNet's head for extractive question answering: the end of an answer depends on its start (arXiv:1906.08237).

Shapes: B batch, T tokens, D width, N starts that are followed, M ends of each.
"""

from keras import ops
from keras.layers import Dense, LayerNormalization

from keras_tfm.layers.base import Layer
from keras_tfm.layers.heads import Head, respond
from keras_tfm.training.losses import PositionCrossEntropy, TokenBinaryCrossEntropy

IMPOSSIBLE = -3e4  # the score of tokens that no answer contains; a number in float16, too


class AnswerBeam(Layer):
    """Scores starts; ends, given a start; and, given the likely start, whether there is no answer."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.start = Dense(1)
        self.end_dense = Dense(c.hidden_size, activation="tanh")
        self.end_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.end = Dense(1)
        self.class_dense = Dense(c.hidden_size, activation="tanh")
        self.class_score = Dense(1, use_bias=False)

    def starts(self, x, outside):
        """x (B, T, D), outside (B, T) or None -> (B, T)."""
        return _without(self.start(x)[..., 0], outside)

    def ends(self, x, start_states, outside):
        """x (B, T, D), start_states (B, N, D), outside (B, T) or None -> (B, N, T)."""
        shape = (ops.shape(x)[0], ops.shape(start_states)[1], ops.shape(x)[1], x.shape[-1])
        pairs = [ops.broadcast_to(x[:, None], shape), ops.broadcast_to(start_states[:, :, None], shape)]
        scores = self.end(self.end_norm(self.end_dense(ops.concatenate(pairs, axis=-1))))[..., 0]
        return _without(scores, None if outside is None else outside[:, None])

    def unanswerable(self, start_state, class_state):
        """start_state and class_state (B, D) -> (B,)."""
        return self.class_score(self.class_dense(ops.concatenate([start_state, class_state], axis=-1)))[..., 0]


class BeamQuestionAnswering(Head):
    """Follows the `start_n_top` (N) likeliest starts and, for each, the `end_n_top` (M) likeliest ends.

    Besides the backbone's inputs it takes p_mask (B, T), 1 for tokens that no answer contains, and cls_index (B,), the
    token that stands for the text, by default the last. It returns start_top_log_probs and start_top_index (B, N),
    end_top_log_probs and end_top_index (B, M * N), the N likeliest ends first, then the second likeliest, and
    cls_logits (B,). (As in the reference, the "log_probs" are probabilities.)

    To train, the true starts are an input, start_positions (B,): it then returns start_logits, end_logits (B, T each)
    and cls_logits. Labels are start_positions, end_positions and is_impossible (B,), 1 for no answer, -100 for unknown.
    """

    pooler = False
    labels = {"start_positions": "start_logits", "end_positions": "end_logits", "is_impossible": "cls_logits"}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.optional = (*cls.backbone_class.optional, "p_mask", "cls_index", "start_positions")

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = AnswerBeam(self.config)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> the likeliest answers, or with start_positions the scores to train by; see the class."""
        known = {name: x for name, x in inputs.items() if name not in ("p_mask", "cls_index", "start_positions")}
        outputs = self.backbone(known, training=training, **options)
        x, outside = outputs["last_hidden_state"], inputs.get("p_mask")
        scores = self.head.starts(x, outside)
        index = inputs.get("cls_index")
        class_state = x[:, -1] if index is None else _states_at(x, index[:, None])[:, 0]
        if inputs.get("start_positions") is not None:
            start_states = _states_at(x, inputs["start_positions"][:, None])
            answer = {
                "start_logits": scores,
                "end_logits": self.head.ends(x, start_states, outside)[:, 0],
                "cls_logits": self.head.unanswerable(start_states[:, 0], class_state),
            }
            return respond(answer, outputs)

        likely = ops.softmax(scores)
        start_scores, starts = _best(likely, self.config.start_n_top)
        ends = ops.softmax(self.head.ends(x, _states_at(x, starts), outside))
        end_scores, ends = _best(ends, self.config.end_n_top)  # (B, N, M)
        mean_start = ops.einsum("bt,btd->bd", likely, x)
        answer = {
            "start_top_log_probs": start_scores,
            "start_top_index": starts,
            "end_top_log_probs": self._by_rank(end_scores),
            "end_top_index": self._by_rank(ends),
            "cls_logits": self.head.unanswerable(mean_start, class_state),
        }
        return respond(answer, outputs)

    def _by_rank(self, x):
        """x (B, N, M) -> (B, M * N)."""
        return ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, self.config.start_n_top * self.config.end_n_top))

    def default_loss(self):
        positions = {"start_logits": PositionCrossEntropy(), "end_logits": PositionCrossEntropy()}
        return positions | {"cls_logits": AnswerabilityLoss()}


class AnswerabilityLoss(TokenBinaryCrossEntropy):
    """Half the binary cross entropy, to be on a scale with the positions'."""

    def call(self, y_true, y_pred):
        """Labels (B,), 1 for no answer, and scores (B,) -> a scalar."""
        return super().call(y_true, y_pred) / 2


def _best(likely, count):
    """likely (.., T) -> the `count` highest and where they are, (.., count); of a shorter text the last, with 0."""
    filled = ops.pad(likely, [(0, 0)] * (len(likely.shape) - 1) + [(0, count)], constant_values=-1.0)
    # Sorted whole, since TensorFlow's SavedModels lag behind JAX's top_k.
    index = ops.argsort(-filled)[..., :count]
    scores = ops.take_along_axis(filled, index, axis=-1)
    return ops.maximum(scores, 0), ops.minimum(index, ops.shape(likely)[-1] - 1)


def _states_at(x, index):
    """x (B, T, D), index (B, N) -> (B, N, D)."""
    return ops.take_along_axis(x, ops.cast(index, "int32")[..., None], axis=1)


def _without(scores, outside):
    """Scores (.., T) with those of the tokens `outside` an answer (1 = is) far below."""
    return scores if outside is None else ops.where(ops.cast(outside, "bool"), IMPOSSIBLE, scores)

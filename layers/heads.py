"""The usual heads: a backbone, a few layers, and the loss the reference trains them with.

A head class names its backbone (`backbone_class`). With one prediction it returns that tensor; with several, or where
hidden states, attentions or a cache are asked for, a dict with the reference's keys.
"""

from keras import ops
from keras.initializers import GlorotUniform, Zeros
from keras.layers import Dense, Dropout, LayerNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer, Model
from keras_tfm.training.losses import ClassificationLoss, PositionCrossEntropy, TokenCrossEntropy

STATES = ("past_key_values", "hidden_states", "attentions", "cross_attentions")


def respond(predictions, outputs):
    """The answer of a head: its predictions and what the backbone's `outputs` hold of what was asked for."""
    answer = predictions | {name: outputs[name] for name in STATES if name in outputs}
    return next(iter(answer.values())) if len(answer) == 1 else answer


class Head(Model):
    """A model on top of a backbone. Subclasses set `backbone_class` and, if it has no pooler, `pooler = False`.

    To `fit`, labels are given on their own, or as a dict by the names of the outputs or by the reference's (`labels`).
    """

    backbone_class: type[Model]
    pooler = True
    labels = {"labels": "logits"}  # the reference's name of the labels: the output that they belong to

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "backbone_class" in vars(cls):
            for name in ("config_class", "served", "optional"):
                if name not in vars(cls):
                    setattr(cls, name, getattr(cls.backbone_class, name))

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.backbone = self.backbone_class(self.config, pooler=self.pooler)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y, y_pred, sample_weight = map(self._by_output, (y, y_pred, sample_weight))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, *map(self._by_output, (y, y_pred, sample_weight)))

    def _by_output(self, values):
        """Labels, predictions or weights as Keras pairs them: by output, or a single one on its own; no states."""
        if isinstance(values, (list, tuple)):
            values = dict(zip(self.labels, values, strict=True))
        if not isinstance(values, dict):
            return values
        named = {self.labels.get(name, name): value for name, value in values.items() if name not in STATES}
        return next(iter(named.values())) if len(named) == 1 else named

    def signature(self):
        return self.backbone.signature()

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens, see `call`'s argument `cache`."""
        return self.backbone.new_cache(batch, length)


class Classifier(Head):
    """Dropout and a dense layer on one of the backbone's outputs (`features`): (.., D) -> logits (.., labels)."""

    features = "pooler_output"

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        rate = self.config.classifier_dropout
        self.dropout = Dropout(self.config.hidden_dropout_prob if rate is None else rate)
        self.head = self.make_head()

    def make_head(self):
        return Dense(self.config.num_labels)

    def logits(self, outputs, training):
        """The scores, from the backbone's outputs."""
        return self.head(self.dropout(outputs[self.features], training=training))

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> logits (B, labels), or (B, T, labels)."""
        outputs = self.backbone(inputs, training=training, **options)
        return respond({"logits": self.logits(outputs, training)}, outputs)

    def default_loss(self):
        return TokenCrossEntropy()


class SequenceClassification(Classifier):
    """Classifies the whole text, from the pooled output: logits (B, labels); one label means regression."""

    def default_loss(self):
        return ClassificationLoss(self.config.num_labels, self.config.problem_type)


class TokenClassification(Classifier):
    """Classifies each token: logits (B, T, labels)."""

    pooler = False
    features = "last_hidden_state"


class MultipleChoice(Classifier):
    """Scores each of several texts: inputs (B, choices, T) -> logits (B, choices)."""

    def make_head(self):
        return Dense(1)

    def signature(self):
        return {name: ((None, *shape), dtype) for name, (shape, dtype) in super().signature().items()}

    def call(self, inputs, training=None, **options):
        """inputs (B, choices, T) -> logits (B, choices)."""
        choices = ops.shape(next(iter(inputs.values())))[1]
        flat = {name: ops.reshape(x, (-1, *ops.shape(x)[2:])) for name, x in inputs.items()}
        outputs = self.backbone(flat, training=training, **options)
        return respond({"logits": ops.reshape(self.logits(outputs, training), (-1, choices))}, outputs)


class QuestionAnswering(Head):
    """Scores each token as the start and as the end of the answer: start_logits and end_logits, (B, T) each."""

    pooler = False
    labels = {"start_positions": "start_logits", "end_positions": "end_logits"}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = Dense(2)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> start_logits and end_logits, (B, T) each."""
        outputs = self.backbone(inputs, training=training, **options)
        scores = self.head(outputs["last_hidden_state"])
        return respond({"start_logits": scores[..., 0], "end_logits": scores[..., 1]}, outputs)

    def default_loss(self):
        return {"start_logits": PositionCrossEntropy(), "end_logits": PositionCrossEntropy()}


class VocabularyHead(Layer):
    """Hidden states (.., D) -> a score for every word (.., V), by the transposed word embeddings and a bias.

    Args:
        vocabulary: V.
        tied: False for a matrix of its own in the place of the word embeddings.
    """

    def __init__(self, vocabulary, tied=True, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary, self.tied = vocabulary, tied
        self.kernel_initializer, self.bias_initializer = GlorotUniform(), Zeros()

    def build(self, x_shape, words_shape):
        if not self.tied:
            shape = (x_shape[-1], self.vocabulary)
            self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer)
        self.bias = self.add_weight(name="bias", shape=(self.vocabulary,), initializer=self.bias_initializer)

    def call(self, x, words):
        """x (.., D), words (V, D) -> (.., V)."""
        return ops.matmul(x, ops.transpose(words) if self.tied else self.kernel) + self.bias


class WordPrediction(Layer):
    """BERT's language modeling head: dense, activation, norm, then the vocabulary."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(c.hidden_size)
        self.activation = activation(c.hidden_act)
        self.norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.vocabulary = VocabularyHead(c.vocab_size, c.tie_word_embeddings)

    def call(self, x, words):
        """x (B, T, D), words (V, D), the word embeddings -> (B, T, V)."""
        return self.vocabulary(self.norm(self.activation(self.dense(x))), words)


class MaskedLanguageModeling(Head):
    """Scores every word of the vocabulary at each token: logits (B, T, V), by the word embeddings where tied."""

    pooler = False
    head_class = WordPrediction

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = self.head_class(self.config)

    def words(self):
        """The word embeddings (V, D)."""
        return ops.convert_to_tensor(self.backbone.embeddings.word.embeddings)

    def call(self, inputs, cache=None, start=0, training=None, **options):
        """inputs (B, T) -> logits (B, T, V)."""
        outputs = self.backbone(inputs, cache=cache, start=start, training=training, **options)
        return respond({"logits": self.head(outputs["last_hidden_state"], self.words())}, outputs)

    def default_loss(self):
        return TokenCrossEntropy()


class CausalLanguageModeling(MaskedLanguageModeling):
    """Scores the next word at each token: logits (B, T, V); labels are the input ids, -100 where not to be learnt."""

    def default_loss(self):
        return TokenCrossEntropy(shift=True)

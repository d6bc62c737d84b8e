"""The usual heads: a backbone, a few layers, and the loss the reference trains them with.

A head class names its backbone (`backbone_class`). With one prediction it returns that tensor; with several, or where
hidden states, attentions or a cache are asked for, a dict with the reference's keys.
"""

from keras import ops
from keras.initializers import GlorotUniform, Zeros
from keras.layers import Dense, Dropout, LayerNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.embeddings import vectors
from keras_tfm.training.losses import ClassificationLoss, PositionCrossEntropy, TokenCrossEntropy

STATES = ("past_key_values", "hidden_states", "attentions", "cross_attentions", "router_logits", "aux_loss")
STATES += ("decoder_hidden_states", "decoder_attentions", "encoder_hidden_states", "encoder_attentions")
STATES += ("reshaped_hidden_states",)


def respond(predictions, outputs):
    """The answer of a head: its predictions and what the backbone's `outputs` hold of what was asked for."""
    answer = predictions | {name: outputs[name] for name in STATES if name in outputs}
    if len(answer) > len(predictions) and "encoder_last_hidden_state" in outputs:
        answer["encoder_last_hidden_state"] = outputs["encoder_last_hidden_state"]
    return next(iter(answer.values())) if len(answer) == 1 else answer


class Task(Model):
    """A model that learns from labels: to `fit`, they are given on their own, or as a dict by the names of the outputs
    or by the reference's (`labels`)."""

    labels = {"labels": "logits"}  # the reference's name of the labels: the output that they belong to

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


class Head(Task):
    """A model on top of a backbone. Subclasses set `backbone_class` and, if it has no pooler, `pooler = False`."""

    backbone_class: type[Model]
    backbone_options = {}  # what its constructor is told besides
    pooler = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "backbone_class" in vars(cls):
            for name in ("config_class", "served", "optional"):
                if name not in vars(cls):
                    setattr(cls, name, getattr(cls.backbone_class, name))

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        options = {"pooler": self.pooler} if self.backbone_class.has_pooler else {}
        self.backbone = self.backbone_class(self.config, **options, **self.backbone_options)

    @property
    def room(self):
        return self.backbone.room

    def signature(self):
        return self.backbone.signature()

    def building_signature(self):
        usual = self.backbone.signature()
        special = {k: v for k, v in self.backbone.building_signature().items() if usual.get(k) != v}
        return self.signature() | special

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens, see `call`'s argument `cache`."""
        return self.backbone.new_cache(batch, length)

    def can_rewind(self, length):
        """Whether a cache for `length` tokens forgets tokens when the next ones are written in their place."""
        return self.backbone.can_rewind(length)


class Classifier(Head):
    """Dropout and a dense layer on one of the backbone's outputs (`features`): (.., D) -> logits (.., labels)."""

    features = "pooler_output"

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.dropout = Dropout(self.dropout_rate())
        self.head = self.make_head()

    def make_head(self):
        return Dense(self.config.num_labels)

    def dropout_rate(self):
        """How much of the features is dropped in training."""
        rate = getattr(self.config, "classifier_dropout", None)
        return self.config.hidden_dropout_prob if rate is None else rate

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


class ClassificationHead(Layer):
    """Dense and an activation, then the classes.

    Args:
        width: D, of input and inner layer.
        labels: how many classes.
        act: the activation, by its name in `config.json`.
        dropout: the rate, in training.
    """

    def __init__(self, width, labels, act="tanh", dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(width)
        self.activation = activation(act)
        self.dropout = Dropout(dropout)
        self.project = Dense(labels)

    def call(self, x):
        """x (.., D) -> (.., labels)."""
        return self.project(self.dropout(self.activation(self.dense(x))))


class FirstTokenClassification(SequenceClassification):
    """Classifies the whole text, from the first token by a `ClassificationHead` of its own instead of a pooler."""

    pooler = False
    act = "tanh"

    def make_head(self):
        return ClassificationHead(self.config.hidden_size, self.config.num_labels, self.act, self.dropout.rate)

    def logits(self, outputs, training):
        return self.head(self.dropout(outputs["last_hidden_state"][:, 0], training=training))


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


class SequenceSummary(Layer):
    """One vector for a text, as the `summary_*` fields of the configuration say; those that it lacks are off.

    - `summary_type`: the hidden state of the "first" or the "last" token (the default), their "mean", or "cls_index",
      of the token that the caller points at.
    - `summary_use_proj`: whether a dense layer follows, as wide as the hidden states or, with
      `summary_proj_to_labels`, with one output a label.
    - `summary_activation`: what follows it, by its name. Default: nothing.
    - `summary_first_dropout`, `summary_last_dropout`: the rates before and after these, in training.

    Args:
        c: the configuration.
        labels: how many there are. Default: as the configuration says.

    Raises:
        ValueError: another `summary_type`.
    """

    kinds = ("first", "last", "mean", "cls_index")

    def __init__(self, c, labels=None, **kwargs):
        super().__init__(**kwargs)
        self.kind = getattr(c, "summary_type", "last")
        if self.kind not in self.kinds:
            raise ValueError(f"summary_type must be one of {self.kinds}, not {self.kind!r}")
        self.project = None
        if getattr(c, "summary_use_proj", False):
            to_labels = getattr(c, "summary_proj_to_labels", False)
            self.project = Dense((labels or c.num_labels) if to_labels else c.hidden_size)
        self.activation = activation(getattr(c, "summary_activation", None) or "linear")
        self.first_dropout = Dropout(getattr(c, "summary_first_dropout", 0.0))
        self.last_dropout = Dropout(getattr(c, "summary_last_dropout", 0.0))

    def call(self, x, index=None):
        """x (.., T, D) and, for "cls_index", which token (..,), by default the last -> (.., D), or (.., labels)."""
        if self.kind == "mean":
            x = ops.mean(x, axis=-2)
        elif self.kind == "first":
            x = x[..., 0, :]
        elif self.kind == "cls_index" and index is not None:
            x = ops.squeeze(ops.take_along_axis(x, ops.cast(index, "int32")[..., None, None], axis=-2), -2)
        else:
            x = x[..., -1, :]
        x = self.first_dropout(x)
        x = x if self.project is None else self.project(x)
        return self.last_dropout(self.activation(x))


class QuestionAnswering(Head):
    """Scores each token as the start and as the end of the answer: start_logits and end_logits, (B, T) each."""

    pooler = False
    labels = {"start_positions": "start_logits", "end_positions": "end_logits"}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = Dense(2)

    def logits(self, outputs, training):
        """The scores (B, T, 2), from the backbone's outputs."""
        return self.head(outputs["last_hidden_state"])

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> start_logits and end_logits, (B, T) each."""
        outputs = self.backbone(inputs, training=training, **options)
        scores = self.logits(outputs, training)
        return respond({"start_logits": scores[..., 0], "end_logits": scores[..., 1]}, outputs)

    def default_loss(self):
        return {"start_logits": PositionCrossEntropy(), "end_logits": PositionCrossEntropy()}


class VocabularyHead(Layer):
    """Hidden states (.., D) -> a score for every word (.., V), by the transposed word embeddings and a bias.

    Args:
        vocabulary: V.
        tied: False for a matrix of its own in the place of the word embeddings.
        use_bias: whether there is a bias.
    """

    def __init__(self, vocabulary, tied=True, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary, self.tied, self.use_bias, self.bias = vocabulary, tied, use_bias, None
        self.kernel_initializer, self.bias_initializer = GlorotUniform(), Zeros()

    def build(self, x_shape, words_shape):
        if not self.tied:
            shape = (x_shape[-1], self.vocabulary)
            self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer)
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.vocabulary,), initializer=self.bias_initializer)

    def call(self, x, words):
        """x (.., D), words (V, D) -> (.., V)."""
        scores = ops.matmul(x, ops.transpose(words) if self.tied else self.kernel)
        return scores if self.bias is None else scores + self.bias


class WordPrediction(Layer):
    """BERT's language modeling head: dense, activation, norm, then the vocabulary.

    Args:
        c: the configuration.
        width: of what the vocabulary meets. Default: as wide as the word embeddings.
    """

    act = None  # the activation, where it is not the configuration's `hidden_act`

    def __init__(self, c, width=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(width or getattr(c, "embedding_size", c.hidden_size))
        self.activation = activation(self.act or c.hidden_act)
        self.norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.vocabulary = VocabularyHead(c.vocab_size, c.tie_word_embeddings)

    def call(self, x, words):
        """x (B, T, D), words (V, D), the word embeddings -> (B, T, V)."""
        return self.vocabulary(self.norm(self.activation(self.dense(x))), words)


class GeluWordPrediction(WordPrediction):
    """The same, always with the exact GELU."""

    act = "gelu"


class MaskedLanguageModeling(Head):
    """Scores every word of the vocabulary at each token: logits (B, T, V), by the word embeddings where tied."""

    pooler = False
    head_class = WordPrediction

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = self.make_head()

    def make_head(self):
        return self.head_class(self.config)

    def words(self):
        """The word embeddings (V, D)."""
        return vectors(self.backbone.embeddings.word)

    def call(self, inputs, cache=None, start=0, training=None, **options):
        """inputs (B, T) -> logits (B, T, V)."""
        outputs = self.backbone(inputs, cache=cache, start=start, training=training, **options)
        return respond({"logits": self.scores(outputs["last_hidden_state"])}, outputs)

    def scores(self, x):
        """x (B, T, D), the backbone's last_hidden_state -> (B, T, V)."""
        return self.head(x, self.words())

    def default_loss(self):
        return TokenCrossEntropy()


class Generation(Task):
    """A model that writes texts. `generation_config` holds the defaults of `generate`: what the checkpoint says of
    them."""

    _generation_config = None
    decoder_prefix = ""  # what the names of the inputs that `generate` adds to begin with

    @property
    def generation_config(self):
        if self._generation_config is None:
            from keras_tfm.generation.config import GenerationConfig

            vars(self)["_generation_config"] = GenerationConfig.from_model_config(self.config)
        return self._generation_config

    @generation_config.setter
    def generation_config(self, config):
        vars(self)["_generation_config"] = config

    def generate(self, inputs=None, generation_config=None, **options):
        """Goes on with texts: inputs (B, T) -> sequences (B or more, T and what is new), int32, a NumPy array.

        Args:
            inputs: a dict of input_ids (B, T), attention_mask and what else the model takes, as tokenizers return it;
                or the ids alone; or None, to begin with nothing. Padding, on either side, comes first in the result.
            generation_config: a `GenerationConfig`. Default: the model's own.
            logits_processor: a list of functions `rule(scores, ids, length) -> scores` besides those that the options
                ask for, see keras_tfm/generation/processors.py: scores (R, V), ids (R, S), of which the first `length`
                tokens count; on `keras.ops`, since they are compiled.
            stopping_criteria: a list of such functions `rule(ids, length) -> (R,)`, True where a text has ended.
            prefix_allowed_tokens_fn: `f(row, ids) -> list`, the tokens that may follow the ids (a NumPy array) in the
                row of that number of the batch.
            streamer: an object with `put(ids)` and `end()`, which gets the prompt and then each token as it comes.
            negative_prompt_ids, negative_prompt_attention_mask: (B, T), what `guidance_scale` leads away from.
            assistant_model: a smaller model of the same vocabulary. It proposes tokens, and this one reads several at
                once and keeps those that it would have said itself: the text is the same, and there sooner. For one
                text, as `prompt_lookup_num_tokens`, which proposes what followed the same words before.
            tokenizer: for `stop_strings`.
            seed: of sampling, an int; the same one gives the same texts. Default: drawn from NumPy's global state.
            **options: any field of `GenerationConfig`, such as max_new_tokens=20, do_sample=True, num_beams=4.

        Returns:
            The sequences; with `return_dict_in_generate` a dict of them and what else was asked for: scores and logits
            (tuples of an array (B, V) for each new token), sequences_scores and beam_indices; hidden_states and
            attentions (but not of beams), see keras_tfm/generation/states.py.

        Raises:
            TypeError: an unknown option.
            ValueError: options that contradict each other, prompts that are too long or don't fit the model.
        """
        from keras_tfm.generation.generate import generate

        return generate(self, inputs, generation_config, **options)

    def compute_transition_scores(self, sequences, scores, beam_indices=None, normalize_logits=False):
        """The score of each new token of texts that `generate` returned: (B, N), 0 behind the end of a beam's text.

        Args:
            sequences: (B, T and N).
            scores: a tuple of N arrays (rows, V).
            beam_indices: (B, N or more), of beam search. Default: each text is a row of the scores.
            normalize_logits: whether to make logarithms of probabilities of the scores. Those of beams are such.
        """
        from keras_tfm.generation.transitions import transition_scores

        return transition_scores(sequences, scores, beam_indices, normalize_logits)


class CausalLanguageModeling(Generation, MaskedLanguageModeling):
    """Scores the next word at each token: logits (B, T, V); labels are the input ids, -100 where not to be learnt."""

    def default_loss(self):
        return TokenCrossEntropy(shift=True)

    def remember(self, given):
        """See the backbone's."""
        return self.backbone.remember(given)


class PreTraining(MaskedLanguageModeling):
    """Masked words (prediction_logits, (B, T, V)) and whether B follows A (seq_relationship_logits, (B, 2))."""

    pooler = True
    labels = {"labels": "prediction_logits", "next_sentence_label": "seq_relationship_logits"}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.next_sentence = self.make_next_sentence()

    def make_next_sentence(self):
        return Dense(2)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> prediction_logits (B, T, V), seq_relationship_logits (B, 2)."""
        outputs = self.backbone(inputs, training=training, **options)
        words = self.head(outputs["last_hidden_state"], self.words())
        follows = self.next_sentence(outputs["pooler_output"])
        return respond(dict(zip(self.labels.values(), (words, follows), strict=True)), outputs)

    def default_loss(self):
        return {name: TokenCrossEntropy() for name in self.labels.values()}


class NextSentencePrediction(Head):
    """Whether the second text follows the first: logits (B, 2), class 0 if it does."""

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = Dense(2)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> logits (B, 2)."""
        outputs = self.backbone(inputs, training=training, **options)
        return respond({"logits": self.head(outputs["pooler_output"])}, outputs)

    def default_loss(self):
        return TokenCrossEntropy()

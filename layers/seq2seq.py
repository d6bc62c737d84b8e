"""Encoder-decoders: an encoder, a decoder that looks at what it says, and the heads on top.

Shapes: B batch, S tokens of the encoder, T new tokens of the decoder, D width, V words.
"""

import keras
from keras import ops

from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    ClassificationHead,
    Generation,
    Head,
    QuestionAnswering,
    SequenceClassification,
    VocabularyHead,
    respond,
)
from keras_tfm.layers.positions import Unused
from keras_tfm.training.losses import IGNORED, TokenCrossEntropy

DECODER_INPUTS = ("decoder_input_ids", "decoder_inputs_embeds")
TOLD = {*DECODER_INPUTS, "labels"}


class Seq2Seq(Model):
    """An encoder and a decoder, over the same words if nothing else is said (`decoder_words`).

    Call it with a dict of input_ids (B, S) or inputs_embeds (B, S, D), decoder_input_ids (B, T) or
    decoder_inputs_embeds (B, T, D) and, where wanted, attention_mask (B, S) and decoder_attention_mask (B, T). In the
    place of the decoder's, labels (B, T), which it then sees shifted to the right. (Where `shifts_source` is set, it
    sees the encoder's text like that, if it is told nothing.) In the place of the encoder's,
    encoder_outputs: its last_hidden_state (B, S, D), or what `remember` made of it. It returns a dict of
    last_hidden_state (B, T, D), encoder_last_hidden_state (B, S, D) and what else is asked for.

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.
    """

    encoder_class: type[Model]
    decoder_class: type[Model]
    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask", "decoder_input_ids")}
    optional = ("inputs_embeds", "decoder_inputs_embeds", "decoder_attention_mask", "encoder_outputs", "labels")
    shifts_source = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "encoder_class" in vars(cls):
            cls.config_class = cls.encoder_class.config_class

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.encoder = self.make_encoder()
        self.decoder = self.make_decoder()

    def make_encoder(self):
        return self.encoder_class(self.config)

    def make_decoder(self):
        return self.decoder_class(self.config, words=self.decoder_words())

    @property
    def room(self):
        return self.decoder.room

    def decoder_words(self):
        """The table of word embeddings that the decoder shares with the encoder, None where it has its own."""
        return self.encoder.word_table

    def words(self):
        """The decoder's word embeddings (V, D)."""
        return self.decoder.words()

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens of the decoder, see `call`."""
        return self.decoder.new_cache(batch, length)

    def can_rewind(self, length):
        """Whether a cache for `length` tokens forgets tokens when the next ones are written in their place."""
        return self.decoder.can_rewind(length)

    def remember(self, inputs):
        """What the decoder needs of the encoder's inputs, in which form each token finds it ready: the inputs
        encoder_outputs and attention_mask of `call`."""
        context = self.context(self.encode(inputs)["last_hidden_state"])
        remembered = {"encoder_outputs": self.decoder.remember(context)}
        mask = inputs.get("attention_mask")
        return remembered if mask is None else remembered | {"attention_mask": mask}

    def encode(self, inputs, **options):
        """The encoder's outputs."""
        names = (*self.encoder.served, *self.encoder.optional)
        return self.encoder({name: inputs[name] for name in names if inputs.get(name) is not None}, **options)

    def context(self, encoded):
        """The encoder's last_hidden_state (B, S, D) -> what the decoder looks at."""
        return encoded

    def decode(self, inputs, **options):
        """The decoder's outputs, a dict."""
        return self.decoder(inputs, **options)

    def shifted(self, labels):
        """labels (B, T) as the decoder sees them: one place to the right, behind what texts start with.

        Raises:
            ValueError: the configuration does not say what that is.
        """
        c = self.config
        if c.decoder_start_token_id is None or c.pad_token_id is None:
            raise ValueError(
                "set decoder_start_token_id and pad_token_id in the configuration, or pass decoder_input_ids"
            )
        first = ops.zeros_like(labels[:, :1]) + c.decoder_start_token_id
        shifted = ops.concatenate([first, labels[:, :-1]], axis=1)
        return ops.where(ops.equal(shifted, IGNORED), c.pad_token_id, shifted)

    def decoder_inputs(self, inputs):
        """What the decoder is told, by its own names.

        Raises:
            ValueError: nothing.
        """
        given = {name: x for name, x in inputs.items() if name.startswith("decoder_") and x is not None}
        given = {name.removeprefix("decoder_"): x for name, x in given.items()}
        if not {"input_ids", "inputs_embeds"} & set(given):
            source = inputs.get("labels")
            if source is None and self.shifts_source:
                source = inputs.get("input_ids")
            if source is None:
                raise ValueError(f"{type(self).__name__} needs decoder_input_ids, or labels to make them of")
            given["input_ids"] = self.shifted(source)
        if inputs.get("attention_mask") is not None:
            given["encoder_attention_mask"] = inputs["attention_mask"]
        return given

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state (B, T, D), encoder_last_hidden_state, and what else is asked for.

        Args:
            cache: from `new_cache` or the last call's past_key_values; the new one comes back as past_key_values.
            start: the place of the decoder's first token in the cache, an int or a scalar tensor.
            output_hidden_states, output_attentions: whether to return them, named decoder_.., encoder_.. and
                cross_attentions. Default: as the configuration says.
        """
        options = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
        context, encoded = inputs.get("encoder_outputs"), {}
        if context is None:
            encoded = self.encode(inputs, **options, training=training)
            context = encoded["last_hidden_state"]
        if not isinstance(context, tuple):  # which `remember` returns
            context = self.context(context)
        given = self.decoder_inputs(inputs) | {"encoder_hidden_states": context}
        outputs = self.decode(given, cache=cache, start=start, **options, training=training)
        own = {name: f"decoder_{name}" for name in ("hidden_states", "attentions")}
        return {own.get(name, name): x for name, x in outputs.items()} | {
            f"encoder_{name}": x for name, x in encoded.items()
        }


def shifted_around(labels, padding):
    """labels (B, T) one place to the right; the last of each that is no padding comes first."""
    labels = ops.where(ops.equal(labels, IGNORED), padding, labels)
    last = ops.sum(ops.cast(ops.not_equal(labels, padding), "int32"), axis=1, keepdims=True) - 1
    return ops.concatenate([ops.take_along_axis(labels, last, axis=1), labels[:, :-1]], axis=1)


class LogitsBias(Layer):
    """A number for each word that is added to its score, and that training leaves as it is."""

    def __init__(self, vocabulary, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary, self.bias_initializer = vocabulary, Unused()

    def build(self, x_shape):
        self.bias = self.add_weight(
            name="bias", shape=(1, self.vocabulary), initializer=self.bias_initializer, trainable=False
        )

    def call(self, x):
        """x (.., V) -> (.., V)."""
        return x + self.bias


class TeacherForcing(Generation):
    """An encoder-decoder that learns to write: its decoder sees the labels before the one that it is to tell.

    `fit(inputs, labels)` shows the decoder the labels, shifted, where inputs hold nothing for it. In data sets, put
    the labels into the inputs, too.
    """

    decoder_prefix = "decoder_"

    @property
    def source_inputs(self):
        """The names of the inputs that are the encoder's."""
        return (*self.encoder.served, *self.encoder.optional)

    @property
    def source_room(self):
        """How many tokens the encoder takes at most, None for any number."""
        return self.encoder.room

    @property
    def source_vocabulary(self):
        """How many words the encoder knows."""
        return self.encoder.vocabulary

    @property
    def source_padding(self):
        """The word that is padding to the encoder."""
        return self.encoder.config.pad_token_id or 0

    def default_loss(self):
        return TokenCrossEntropy()

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if isinstance(x, dict) and not TOLD & set(x):  # else it would learn from a decoder that saw something else
            raise ValueError(
                "put labels, or decoder_input_ids, into the inputs: the decoder must see what it is to write"
            )
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def fit(self, x=None, y=None, *args, **kwargs):
        if isinstance(kwargs.get("validation_data"), tuple):
            inputs, labels, *weights = kwargs["validation_data"]
            kwargs["validation_data"] = (_with_labels(inputs, labels), labels, *weights)
        return super().fit(_with_labels(x, y), y, *args, **kwargs)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        return super().evaluate(_with_labels(x, y), y, *args, **kwargs)

    def train_on_batch(self, x, y=None, *args, **kwargs):
        return super().train_on_batch(_with_labels(x, y), y, *args, **kwargs)

    def test_on_batch(self, x, y=None, *args, **kwargs):
        return super().test_on_batch(_with_labels(x, y), y, *args, **kwargs)


class ConditionalGeneration(TeacherForcing, CausalLanguageModeling):
    """Scores the next word of the decoder's text: logits (B, T, V)."""

    def make_head(self):
        return VocabularyHead(self.backbone.decoder.vocabulary, self.config.tie_word_embeddings, use_bias=False)

    def words(self):
        return self.backbone.words()

    @property
    def encoder(self):
        return self.backbone.encoder


def _with_labels(inputs, labels):
    """The inputs and, where they hold nothing for the decoder, the labels."""
    labels = labels.get("labels") if isinstance(labels, dict) else labels
    if not isinstance(inputs, dict) or labels is None or TOLD & set(inputs):
        return inputs
    return inputs | {"labels": keras.ops.convert_to_numpy(labels)}


class BiasedConditionalGeneration(ConditionalGeneration):
    """The same, with a number added to each word's score."""

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.logits_bias = LogitsBias(self.backbone.decoder.vocabulary)

    def scores(self, x):
        return self.logits_bias(super().scores(x))


class SourceHead(Head):
    """A head whose decoder sees the encoder's text, one place to the right, where it is told nothing else."""

    pooler = False

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.backbone.shifts_source = True

    def signature(self):
        return {name: spec for name, spec in super().signature().items() if name not in DECODER_INPUTS}

    def building_signature(self):
        return self.backbone.signature()


class LastEndClassification(SourceHead, SequenceClassification):
    """Classifies the whole text, by the decoder's state at the last token that ends a text: logits (B, labels).

    All texts must have such a token, `eos_token_id`, as tokenizers put it.

    Raises:
        ValueError: inputs_embeds, of which it is not known where they end.
    """

    def make_head(self):
        c = self.config
        return ClassificationHead(c.d_model, c.num_labels, dropout=self.dropout_rate())

    def call(self, inputs, training=None, **options):
        """inputs (B, S) -> logits (B, labels)."""
        if inputs.get("input_ids") is None:
            raise ValueError(f"{type(self).__name__} looks for the token that ends each text: give input_ids")
        outputs = self.backbone(inputs, training=training, **options)
        ends = ops.equal(inputs["input_ids"], self.config.eos_token_id)
        last = ops.max(ops.where(ends, ops.arange(ops.shape(ends)[1]), 0), axis=1)
        x = ops.take_along_axis(outputs["last_hidden_state"], last[:, None, None], axis=1)[:, 0]
        return respond({"logits": self.head(self.dropout(x, training=training))}, outputs)


class DecoderQuestionAnswering(SourceHead, QuestionAnswering):
    """Scores each token of the decoder as the start and as the end of the answer: start_logits and end_logits, (B, T)
    each."""

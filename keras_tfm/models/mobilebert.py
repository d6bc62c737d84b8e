"""MobileBERT: a thin and deep BERT; each block works at a narrower width between two bottlenecks (arXiv:2004.02984).

Shapes: B batch, T tokens, D width, N the width inside of a block, E width of the word embeddings, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.initializers import GlorotUniform, Ones, Zeros
from keras.layers import Dense, Dropout, Identity, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import TextEmbeddings
from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import (
    MaskedLanguageModeling,
    MultipleChoice,
    NextSentencePrediction,
    PreTraining,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
    WordPrediction,
)
from keras_tfm.layers.mlp import MLP


@dataclass(kw_only=True)
class MobileBertConfig(Config):
    model_type = "mobilebert"

    vocab_size: int = 30522
    hidden_size: int = 512
    num_hidden_layers: int = 24
    num_attention_heads: int = 4
    intermediate_size: int = 512
    hidden_act: str = "relu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    embedding_size: int = 128
    trigram_input: bool = True
    use_bottleneck: bool = True
    intra_bottleneck_size: int = 128
    use_bottleneck_attention: bool = False  # attention sees the narrowed input, values and all
    key_query_shared_bottleneck: bool = True  # queries and keys come from a narrowed input of their own
    num_feedforward_networks: int = 4
    normalization_type: str = "no_norm"  # or layer_norm
    classifier_activation: bool = True
    classifier_dropout: float | None = None
    true_hidden_size: int | None = None  # N: follows from the others

    def __post_init__(self):
        super().__post_init__()
        self.true_hidden_size = self.intra_bottleneck_size if self.use_bottleneck else self.hidden_size


class NoNorm(Layer):
    """What stands in for a layer normalisation: (.., D), scaled and shifted channel by channel."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weight_initializer, self.bias_initializer = Ones(), Zeros()

    def build(self, x_shape):
        self.weight = self.add_weight(name="weight", shape=x_shape[-1:], initializer=self.weight_initializer)
        self.bias = self.add_weight(name="bias", shape=x_shape[-1:], initializer=self.bias_initializer)

    def call(self, x):
        return x * self.weight + self.bias


def make_norm(c, epsilon=None):
    """The normalisation that `normalization_type` asks for; ValueError if it is none of those known."""
    if c.normalization_type == "no_norm":
        return NoNorm()
    if c.normalization_type != "layer_norm":
        raise ValueError(f"normalization_type must be 'no_norm' or 'layer_norm', not {c.normalization_type!r}")
    return LayerNormalization(epsilon=epsilon or c.layer_norm_eps)


class MobileBertEmbeddings(TextEmbeddings):
    """The words, each with its neighbours on both sides, are brought to the width of positions and token types.

    Args:
        trigram: whether a word comes with its neighbours.
    """

    def __init__(self, *args, width, trigram, **kwargs):
        super().__init__(*args, width=width, **kwargs)
        self.trigram, self.widens = trigram, trigram or self.word.output_dim != width
        self.widen = Dense(width, trainable=self.widens)

    def build(self, inputs_shape):
        super().build(inputs_shape)
        if not self.widens:  # `call` would not build it
            self.widen.build((None, None, self.word.output_dim))

    def words(self, inputs):
        x = super().words(inputs)
        if self.trigram:
            after = ops.pad(x[:, 1:], ((0, 0), (0, 1), (0, 0)))
            before = ops.pad(x[:, :-1], ((0, 0), (1, 0), (0, 0)))
            x = ops.concatenate([after, x, before], axis=-1)
        return self.widen(x) if self.widens else x


class Normed(Layer):
    """A layer and a norm of its output, to which a residual may be added before.

    Args:
        c: the configuration.
        inner: the layer.
        dropout: the rate at which its output is dropped in training.
        epsilon: of a layer normalisation. Default: as the configuration says.
    """

    def __init__(self, c, inner, dropout=0.0, epsilon=None, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.dropout, self.norm = inner, Dropout(dropout), make_norm(c, epsilon)

    def call(self, x, residual=0):
        """x (B, T, ..), residual and what comes out (B, T, as wide as what `inner` makes)."""
        return self.norm(self.dropout(self.inner(x)) + residual)


class MobileBertBlock(Layer):
    """Attention and a stack of MLPs at width N, between bottlenecks at the entrance and one at the exit."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        width, dropout = c.true_hidden_size, c.hidden_dropout_prob
        self.narrows_all = c.use_bottleneck_attention
        self.narrow = self.narrow_queries = self.widen = None
        if c.use_bottleneck:
            self.narrow = Normed(c, Dense(width))
            if c.key_query_shared_bottleneck:
                self.narrow_queries = Normed(c, Dense(width), trainable=not self.narrows_all)
            self.widen = Normed(c, Dense(c.hidden_size), dropout)
            dropout = 0.0  # only at the exit
        self.attention = Attention(width, c.num_attention_heads, dropout=c.attention_probs_dropout_prob)
        self.dropout, self.attention_norm = Dropout(dropout), make_norm(c)
        mlps = [MLP(width, c.intermediate_size, c.hidden_act) for _ in range(c.num_feedforward_networks)]
        self.mlps = [Normed(c, mlp) for mlp in mlps[:-1]]
        self.mlp = Normed(c, mlps[-1], dropout, epsilon=1e-5)

    def call(self, x, attend=None, weights=False, **for_decoders):
        """x (B, T, D), attend (B, 1, 1, T) -> (B, T, D), no cache, {name: weights (B, H, T, T)}."""
        residual = x if self.narrow is None else self.narrow(x)
        queries = x if self.narrow_queries is None else self.narrow_queries(x)
        values = x
        if self.narrows_all:  # then those of the queries go unused, though checkpoints have them
            queries = values = residual
        y, _, seen = self.attention(queries, values=values, attend=attend, weights=weights)
        y = self.attention_norm(self.dropout(y) + residual)
        for mlp in [*self.mlps, self.mlp]:
            y = mlp(y, y)
        return y if self.widen is None else self.widen(y, x), None, {"attentions": seen}


class MobileBertModel(TextEncoder):
    """The encoder, with a tanh layer (`pooler`) on the first token or, without `classifier_activation`, that token.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, E) and, where wanted, attention_mask (B, T),
    token_type_ids, position_ids. It returns a dict of last_hidden_state (B, T, D) and pooler_output (B, D).
    """

    config_class = MobileBertConfig
    optional = ("position_ids", "inputs_embeds")

    def make_embeddings(self):
        c = self.config
        norm = make_norm(c, epsilon=1e-5)
        return super().make_embeddings(
            MobileBertEmbeddings, word_width=c.embedding_size, trigram=c.trigram_input, norm=norm
        )

    def make_block(self):
        return MobileBertBlock(self.config)

    def make_pooler(self):
        return super().make_pooler() if self.config.classifier_activation else Identity()


class MobileBertWordPrediction(WordPrediction):
    """Its vocabulary has width D: the first E channels meet the word embeddings, the rest a matrix (D - E, V)."""

    def __init__(self, c, **kwargs):
        super().__init__(c, width=c.hidden_size, **kwargs)
        self.tied_width, self.rest_shape = c.embedding_size, (c.hidden_size - c.embedding_size, c.vocab_size)
        self.kernel_initializer = GlorotUniform()

    def build(self, *shapes):
        self.kernel = self.add_weight(name="kernel", shape=self.rest_shape, initializer=self.kernel_initializer)

    def call(self, x, words):
        """x (B, T, D), words (V, E), the word embeddings -> (B, T, V)."""
        x = self.norm(self.activation(self.dense(x)))
        return self.vocabulary(x[..., : self.tied_width], words) + ops.matmul(x[..., self.tied_width :], self.kernel)


class MobileBertForMaskedLM(MaskedLanguageModeling):
    backbone_class = MobileBertModel
    head_class = MobileBertWordPrediction


class MobileBertForPreTraining(PreTraining):
    backbone_class = MobileBertModel
    head_class = MobileBertWordPrediction


class MobileBertForNextSentencePrediction(NextSentencePrediction):
    backbone_class = MobileBertModel


class MobileBertForSequenceClassification(SequenceClassification):
    backbone_class = MobileBertModel


class MobileBertForMultipleChoice(MultipleChoice):
    backbone_class = MobileBertModel


class MobileBertForTokenClassification(TokenClassification):
    backbone_class = MobileBertModel


class MobileBertForQuestionAnswering(QuestionAnswering):
    backbone_class = MobileBertModel

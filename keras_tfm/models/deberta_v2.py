"""DeBERTa-v2 and -v3: words and their distances attend to each other apart (arXiv:2006.03654, arXiv:2111.09543).

Shapes: B batch, T tokens, S keys (S = T), D width, H heads, C channels a head, V words.
"""

from dataclasses import dataclass

import keras
from keras import ops
from keras.layers import Conv1D, Dense, Dropout, LayerNormalization

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer
from keras_tfm.layers.config import Config
from keras_tfm.layers.disentangled import DisentangledAttention, Distances
from keras_tfm.layers.embeddings import TextEmbeddings
from keras_tfm.layers.encoder import EncoderBlock, TextEncoder
from keras_tfm.layers.heads import (
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
    WordPrediction,
)
from keras_tfm.training.losses import IGNORED, ClassificationLoss


@dataclass(kw_only=True)
class DebertaV2Config(Config):
    model_type = "deberta-v2"

    vocab_size: int = 128100
    hidden_size: int = 1536
    embedding_size: int | None = None
    num_hidden_layers: int = 24
    num_attention_heads: int = 24
    intermediate_size: int = 6144
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-7
    pad_token_id: int | None = 0
    bos_token_id: int | None = None
    eos_token_id: int | list | None = None
    tie_word_embeddings: bool = True
    relative_attention: bool = False
    max_relative_positions: int = -1
    position_buckets: int = -1
    position_biased_input: bool = True
    pos_att_type: list | str | None = None
    share_att_key: bool = False
    norm_rel_ebd: str = "none"
    conv_kernel_size: int = 0
    conv_act: str = "tanh"
    conv_groups: int = 1
    pooler_hidden_size: int | None = None
    pooler_hidden_act: str = "gelu"
    pooler_dropout: float = 0
    cls_dropout: float | None = None
    legacy: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.embedding_size = self.embedding_size or self.hidden_size
        self.pooler_hidden_size = self.pooler_hidden_size or self.hidden_size
        if isinstance(self.pos_att_type, str):
            self.pos_att_type = [kind.strip() for kind in self.pos_att_type.lower().split("|")]


class DebertaEmbeddings(TextEmbeddings):
    """The sum of the embeddings, projected, then normalised; zero where there is padding.

    Args:
        project: D, if it is not the width of the tables.
    """

    def __init__(self, *args, project=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.project = Dense(project, use_bias=False) if project else None

    def finish(self, x, training):
        x = x if self.project is None else self.project(x)
        return self.dropout(self.norm(x), training=training)

    def call(self, inputs, start=0, training=None):
        x, mask = super().call(inputs, start=start, training=training), inputs.get("attention_mask")
        if mask is None:
            return x
        if len(mask.shape) != 2:
            raise ValueError(f"DeBERTa's attention_mask has the shape (batch, length), not rank {len(mask.shape)}")
        return x * ops.cast(mask, x.dtype)[..., None]


class ConvolvedBlock(EncoderBlock):
    """A block whose output takes in a convolution of its input: the first block of v2."""

    def __init__(self, c, **kwargs):
        super().__init__(c, DisentangledAttention(c), **kwargs)
        self.convolution = Conv1D(c.hidden_size, c.conv_kernel_size, padding="same", groups=c.conv_groups)
        self.activation = activation(c.conv_act)
        self.convolution_norm = LayerNormalization(epsilon=c.layer_norm_eps)

    def call(self, x, attend=None, distances=None, weights=False, **for_decoders):
        y, cache, seen = super().call(x, attend=attend, distances=distances, weights=weights)
        y = self.convolution_norm(y + self.activation(self.dropout(self.convolution(x))))
        return y if attend is None else ops.where(attend[:, 0, 0, :, None], y, 0), cache, seen


class DebertaV2Model(TextEncoder):
    """An encoder without a pooler. Its texts may be of any length, unless `position_biased_input` adds positions.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, E) and, where wanted, attention_mask (B, T),
    token_type_ids, position_ids. It returns a dict of last_hidden_state (B, T, D).
    """

    config_class = DebertaV2Config
    optional = ("position_ids", "inputs_embeds")
    has_pooler = False

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.distances = Distances(self.config) if self.config.relative_attention else None

    def make_embeddings(self):
        c = self.config
        return super().make_embeddings(
            DebertaEmbeddings,
            width=c.embedding_size,
            project=c.hidden_size if c.embedding_size != c.hidden_size else None,
            positions=c.max_position_embeddings if c.position_biased_input else None,
        )

    def make_blocks(self):
        blocks = super().make_blocks()
        if self.config.conv_kernel_size > 0:
            blocks[0] = ConvolvedBlock(self.config)
        return blocks

    def make_block(self):
        return EncoderBlock(self.config, DisentangledAttention(self.config))

    def make_pooler(self):
        return None

    def relations(self, inputs, x, cache, start):
        return {} if self.distances is None else {"distances": self.distances(x)}


class PretrainedWordPrediction(Layer):
    """The language modeling head of the pretraining (`legacy=False`): computed as BERT's, stored by another name."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.lm_head = WordPrediction(c)

    def call(self, x, words):
        """x (B, T, D), words (V, D), the word embeddings -> (B, T, V)."""
        return self.lm_head(x, words)


class DebertaV2ForMaskedLM(MaskedLanguageModeling):
    backbone_class = DebertaV2Model

    @staticmethod
    def head_class(c):
        return WordPrediction(c) if c.legacy else PretrainedWordPrediction(c)


class ContextPooled:
    """Gives a classifier of whole texts a pooler of its own: a dense layer on the first token."""

    def make_head(self):
        c = self.config
        self.pooler_dropout = Dropout(c.pooler_dropout)
        self.context_pooler = Dense(c.pooler_hidden_size, activation=activation(c.pooler_hidden_act))
        return super().make_head()

    def dropout_rate(self):
        rate = self.config.cls_dropout
        return super().dropout_rate() if rate is None else rate

    def logits(self, outputs, training):
        first = self.pooler_dropout(outputs["last_hidden_state"][:, 0], training=training)
        return super().logits({"pooler_output": self.context_pooler(first)}, training)


class ProbableClassesLoss(ClassificationLoss):
    """Without a problem type, labels (B, num_labels) are the probabilities of the classes, negative labels ignored."""

    def call(self, y_true, y_pred):
        if self.problem_type or self.num_labels == 1:
            return super().call(y_true, y_pred)
        if len(y_true.shape) == 2 and y_true.shape[-1] == self.num_labels:
            return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)
        return super().call(ops.where(y_true < 0, IGNORED, y_true), y_pred)


class DebertaV2ForSequenceClassification(ContextPooled, SequenceClassification):
    backbone_class = DebertaV2Model

    def default_loss(self):
        return ProbableClassesLoss(self.config.num_labels, self.config.problem_type)


class DebertaV2ForMultipleChoice(ContextPooled, MultipleChoice):
    backbone_class = DebertaV2Model


class DebertaV2ForTokenClassification(TokenClassification):
    backbone_class = DebertaV2Model


class DebertaV2ForQuestionAnswering(QuestionAnswering):
    backbone_class = DebertaV2Model

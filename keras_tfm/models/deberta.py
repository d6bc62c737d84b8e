"""DeBERTa: words and their distances attend to each other apart (arXiv:2006.03654).

Shapes: B batch, T tokens, S keys (S = T), D width, H heads.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Dense

from keras_tfm.layers.disentangled import DisentangledAttention
from keras_tfm.layers.encoder import EncoderBlock
from keras_tfm.layers.heads import QuestionAnswering, TokenClassification
from keras_tfm.models.deberta_v2 import (
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    DebertaV2ForSequenceClassification,
    DebertaV2Model,
)


@dataclass(kw_only=True)
class DebertaConfig(DebertaV2Config):
    """What v2 added stays at its defaults."""

    model_type = "deberta"

    vocab_size: int = 50265
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    talking_head: bool = False


class TalkingAttention(DisentangledAttention):
    """As v2's, with keys that have no bias, and with `talking_head` heads that mix their scores and their weights."""

    def __init__(self, c, **kwargs):
        super().__init__(c, key_bias=False, **kwargs)
        self.mix_scores = Dense(self.heads, use_bias=False) if c.talking_head else None
        self.mix_weights = Dense(self.heads, use_bias=False) if c.talking_head else None

    def weigh(self, scores, attend, training):
        if self.mix_scores is None:
            return super().weigh(scores, attend, training)
        scores = across_heads(self.mix_scores, scores)
        return across_heads(self.mix_weights, super().weigh(scores, attend, training))


def across_heads(dense, x):
    """x (B, H, T, S) -> (B, H, T, S), by a layer on the axis of the heads."""
    return ops.transpose(dense(ops.transpose(x, (0, 2, 3, 1))), (0, 3, 1, 2))


class DebertaModel(DebertaV2Model):
    __doc__ = DebertaV2Model.__doc__
    config_class = DebertaConfig

    def make_block(self):
        return EncoderBlock(self.config, TalkingAttention(self.config))


class DebertaForMaskedLM(DebertaV2ForMaskedLM):
    backbone_class = DebertaModel


class DebertaForSequenceClassification(DebertaV2ForSequenceClassification):
    backbone_class = DebertaModel


class DebertaForTokenClassification(TokenClassification):
    backbone_class = DebertaModel


class DebertaForQuestionAnswering(QuestionAnswering):
    backbone_class = DebertaModel

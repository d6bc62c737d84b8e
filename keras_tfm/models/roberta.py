"""RoBERTa: BERT, trained longer on more text; positions count the real tokens (arXiv:1907.11692).

Shapes: B batch, T new tokens, D width, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Dense, Dropout

from keras_tfm.layers.activations import activation
from keras_tfm.layers.base import Layer
from keras_tfm.layers.embeddings import CountedTextEmbeddings
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
    WordPrediction,
)
from keras_tfm.models.bert import BertConfig, BertModel


@dataclass(kw_only=True)
class RobertaConfig(BertConfig):
    model_type = "roberta"

    vocab_size: int = 50265
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list | None = 2


class RobertaModel(BertModel):
    """As `BertModel`; without `position_ids`, tokens that are not padding are counted."""

    config_class = RobertaConfig

    def make_embeddings(self):
        return super().make_embeddings(CountedTextEmbeddings, padding=self.config.pad_token_id)


class RobertaWordPrediction(WordPrediction):
    """As BERT's, always with the exact GELU."""

    def __init__(self, c, **kwargs):
        super().__init__(c, **kwargs)
        self.activation = activation("gelu")


class RobertaClassificationHead(Layer):
    """Dense and tanh on the first token, then the classes."""

    def __init__(self, c, dropout, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(c.hidden_size)
        self.dropout = Dropout(dropout)
        self.project = Dense(c.num_labels)

    def call(self, x):
        """x (B, D) -> (B, labels)."""
        return self.project(self.dropout(ops.tanh(self.dense(x))))


class RobertaForMaskedLM(MaskedLanguageModeling):
    backbone_class = RobertaModel
    head_class = RobertaWordPrediction


class RobertaForCausalLM(CausalLanguageModeling):
    backbone_class = RobertaModel
    head_class = RobertaWordPrediction


class RobertaForSequenceClassification(SequenceClassification):
    backbone_class = RobertaModel
    pooler = False

    def make_head(self):
        return RobertaClassificationHead(self.config, self.dropout.rate)

    def logits(self, outputs, training):
        return self.head(self.dropout(outputs["last_hidden_state"][:, 0], training=training))


class RobertaForMultipleChoice(MultipleChoice):
    backbone_class = RobertaModel


class RobertaForTokenClassification(TokenClassification):
    backbone_class = RobertaModel


class RobertaForQuestionAnswering(QuestionAnswering):
    backbone_class = RobertaModel

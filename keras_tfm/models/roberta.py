"""RoBERTa: BERT, trained longer on more text; positions count the real tokens (arXiv:1907.11692).

Shapes: B batch, T new tokens, D width, V words.
"""

from dataclasses import dataclass

from keras_tfm.layers.embeddings import CountedTextEmbeddings
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    FirstTokenClassification,
    GeluWordPrediction,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    TokenClassification,
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


class RobertaForMaskedLM(MaskedLanguageModeling):
    backbone_class = RobertaModel
    head_class = GeluWordPrediction


class RobertaForCausalLM(CausalLanguageModeling):
    backbone_class = RobertaModel
    head_class = GeluWordPrediction


class RobertaForSequenceClassification(FirstTokenClassification):
    backbone_class = RobertaModel


class RobertaForMultipleChoice(MultipleChoice):
    backbone_class = RobertaModel


class RobertaForTokenClassification(TokenClassification):
    backbone_class = RobertaModel


class RobertaForQuestionAnswering(QuestionAnswering):
    backbone_class = RobertaModel

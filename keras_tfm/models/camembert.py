"""CamemBERT: RoBERTa in French, with a SentencePiece vocabulary (arXiv:1911.03894)."""

from dataclasses import dataclass

from keras_tfm.models.roberta import (
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
)


@dataclass(kw_only=True)
class CamembertConfig(RobertaConfig):
    model_type = "camembert"

    vocab_size: int = 30522


class CamembertModel(RobertaModel):
    config_class = CamembertConfig


class CamembertForMaskedLM(RobertaForMaskedLM):
    backbone_class = CamembertModel


class CamembertForCausalLM(RobertaForCausalLM):
    backbone_class = CamembertModel


class CamembertForSequenceClassification(RobertaForSequenceClassification):
    backbone_class = CamembertModel


class CamembertForMultipleChoice(RobertaForMultipleChoice):
    backbone_class = CamembertModel


class CamembertForTokenClassification(RobertaForTokenClassification):
    backbone_class = CamembertModel


class CamembertForQuestionAnswering(RobertaForQuestionAnswering):
    backbone_class = CamembertModel

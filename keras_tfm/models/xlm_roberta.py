"""XLM-RoBERTa: RoBERTa on a hundred languages, with a SentencePiece vocabulary (arXiv:1911.02116)."""

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
class XLMRobertaConfig(RobertaConfig):
    model_type = "xlm-roberta"

    vocab_size: int = 30522


class XLMRobertaModel(RobertaModel):
    config_class = XLMRobertaConfig


class XLMRobertaForMaskedLM(RobertaForMaskedLM):
    backbone_class = XLMRobertaModel


class XLMRobertaForCausalLM(RobertaForCausalLM):
    backbone_class = XLMRobertaModel


class XLMRobertaForSequenceClassification(RobertaForSequenceClassification):
    backbone_class = XLMRobertaModel


class XLMRobertaForMultipleChoice(RobertaForMultipleChoice):
    backbone_class = XLMRobertaModel


class XLMRobertaForTokenClassification(RobertaForTokenClassification):
    backbone_class = XLMRobertaModel


class XLMRobertaForQuestionAnswering(RobertaForQuestionAnswering):
    backbone_class = XLMRobertaModel

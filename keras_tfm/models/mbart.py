"""mBART: BART in many languages, with norms before the layers (arXiv:2001.08210). mBART-50, BARThez and BARTpho are
such, too."""

from dataclasses import dataclass

from keras_tfm.layers.seq2seq import (
    BiasedConditionalGeneration,
    DecoderQuestionAnswering,
    LastEndClassification,
    shifted_around,
)
from keras_tfm.layers.transformer import DecoderForCausalLM, PreNormDecoder, PreNormEncoder
from keras_tfm.models.bart import BartConfig, BartModel


@dataclass(kw_only=True)
class MBartConfig(BartConfig):
    model_type = "mbart"
    default_labels = 2

    decoder_start_token_id: int | None = None


class MBartEncoder(PreNormEncoder):
    config_class = MBartConfig


class MBartDecoder(PreNormDecoder):
    config_class = MBartConfig


class MBartModel(BartModel):
    """As `BartModel`; texts begin with the token of their language, which tokenizers put at the end."""

    encoder_class = MBartEncoder
    decoder_class = MBartDecoder

    def shifted(self, labels):
        return shifted_around(labels, self.config.pad_token_id)


class MBartForConditionalGeneration(BiasedConditionalGeneration):
    backbone_class = MBartModel


class MBartForSequenceClassification(LastEndClassification):
    backbone_class = MBartModel


class MBartForQuestionAnswering(DecoderQuestionAnswering):
    backbone_class = MBartModel


class MBartForCausalLM(DecoderForCausalLM):
    backbone_class = MBartDecoder

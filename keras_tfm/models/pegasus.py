"""Pegasus: an encoder-decoder, pretrained by writing the sentences that were taken out of a text (arXiv:1912.08777)."""

from dataclasses import dataclass

from keras_tfm.layers.seq2seq import BiasedConditionalGeneration, Seq2Seq
from keras_tfm.layers.transformer import DecoderForCausalLM, HalvedWaves, PreNormDecoder, PreNormEncoder
from keras_tfm.models.bart import BartConfig


@dataclass(kw_only=True)
class PegasusConfig(BartConfig):
    model_type = "pegasus"
    default_labels = 2

    pad_token_id: int | None = 0
    bos_token_id: int | None = None
    eos_token_id: int | list | None = 1
    decoder_start_token_id: int | None = 0
    forced_eos_token_id: int | None = 1


class PegasusEncoder(HalvedWaves, PreNormEncoder):
    config_class = PegasusConfig


class PegasusDecoder(HalvedWaves, PreNormDecoder):
    config_class = PegasusConfig


class PegasusModel(Seq2Seq):
    encoder_class = PegasusEncoder
    decoder_class = PegasusDecoder


class PegasusForConditionalGeneration(BiasedConditionalGeneration):
    backbone_class = PegasusModel


class PegasusForCausalLM(DecoderForCausalLM):
    backbone_class = PegasusDecoder

"""Marian: translation models of many pairs of languages (arXiv:1804.00344), OPUS-MT's among them.

With `share_encoder_decoder_embeddings=False` the decoder has words of its own, `decoder_vocab_size` of them.
"""

from dataclasses import dataclass

from keras_tfm.layers.seq2seq import BiasedConditionalGeneration, Seq2Seq
from keras_tfm.layers.transformer import Decoder, DecoderForCausalLM, Encoder, HalvedWaves
from keras_tfm.models.bart import BartConfig


@dataclass(kw_only=True)
class MarianConfig(BartConfig):
    model_type = "marian"
    default_labels = 2

    vocab_size: int = 58101
    decoder_vocab_size: int | None = None
    share_encoder_decoder_embeddings: bool = True
    pad_token_id: int | None = 58100
    bos_token_id: int | None = None
    eos_token_id: int | list | None = 0
    decoder_start_token_id: int | None = 58100
    forced_eos_token_id: int | None = 0

    def __post_init__(self):
        super().__post_init__()
        self.decoder_vocab_size = self.decoder_vocab_size or self.vocab_size


class MarianEncoder(HalvedWaves, Encoder):
    config_class = MarianConfig


class MarianDecoder(HalvedWaves, Decoder):
    config_class = MarianConfig

    @property
    def vocabulary(self):
        c = self.config
        return c.vocab_size if c.share_encoder_decoder_embeddings else c.decoder_vocab_size


class MarianModel(Seq2Seq):
    """As `Seq2Seq`; the decoder may have words of its own."""

    encoder_class = MarianEncoder
    decoder_class = MarianDecoder

    def decoder_words(self):
        return super().decoder_words() if self.config.share_encoder_decoder_embeddings else None


class MarianMTModel(BiasedConditionalGeneration):
    backbone_class = MarianModel


class MarianForCausalLM(DecoderForCausalLM):
    backbone_class = MarianDecoder

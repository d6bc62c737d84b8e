"""M2M100: translation between any two of a hundred languages (arXiv:2010.11125); NLLB, of two hundred, is such, too
(arXiv:2207.04672)."""

from dataclasses import dataclass

from keras_tfm.layers.seq2seq import ConditionalGeneration, Seq2Seq
from keras_tfm.layers.transformer import CountedWaves, PreNormDecoder, PreNormEncoder
from keras_tfm.models.bart import BartConfig


@dataclass(kw_only=True)
class M2M100Config(BartConfig):
    model_type = "m2m_100"
    default_labels = 2

    vocab_size: int = 128112
    encoder_layerdrop: float = 0.05  # of no effect here
    decoder_layerdrop: float = 0.05  # of no effect here
    activation_function: str = "relu"
    attention_dropout: float = 0.1
    scale_embedding: bool = True
    forced_eos_token_id: int | None = None


class M2M100Encoder(CountedWaves, PreNormEncoder):
    config_class = M2M100Config


class M2M100Decoder(CountedWaves, PreNormDecoder):
    config_class = M2M100Config


class M2M100Model(Seq2Seq):
    """As `Seq2Seq`; positions count the tokens that are not padding."""

    encoder_class = M2M100Encoder
    decoder_class = M2M100Decoder


class M2M100ForConditionalGeneration(ConditionalGeneration):
    backbone_class = M2M100Model

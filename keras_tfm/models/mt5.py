"""mT5: T5 v1.1 for a hundred languages (arXiv:2010.11934).

Shapes: B batch, T tokens, D width.
"""

from dataclasses import dataclass

from keras_tfm.layers.heads import TokenClassification
from keras_tfm.layers.seq2seq import DecoderQuestionAnswering, LastEndClassification
from keras_tfm.models.t5 import T5Config, T5Decoder, T5EncoderModel, T5ForConditionalGeneration, T5Model


@dataclass(kw_only=True)
class MT5Config(T5Config):
    model_type = "mt5"

    vocab_size: int = 250112
    d_ff: int = 1024
    num_layers: int = 8
    num_heads: int = 6
    feed_forward_proj: str = "gated-gelu"
    tie_word_embeddings: bool = False
    decoder_start_token_id: int | None = 0


class MT5EncoderModel(T5EncoderModel):
    config_class = MT5Config


class MT5Decoder(T5Decoder):
    config_class = MT5Config


class MT5Model(T5Model):
    encoder_class = MT5EncoderModel
    decoder_class = MT5Decoder


class MT5ForConditionalGeneration(T5ForConditionalGeneration):
    backbone_class = MT5Model


class MT5ForSequenceClassification(LastEndClassification):
    backbone_class = MT5Model


class MT5ForTokenClassification(TokenClassification):
    backbone_class = MT5EncoderModel


class MT5ForQuestionAnswering(DecoderQuestionAnswering):
    backbone_class = MT5Model

"""UMT5: mT5 whose blocks each have their own biases by distance (arXiv:2304.09151).

Shapes: B batch, T tokens, S keys, D width, H heads, C channels a head.
"""

from dataclasses import dataclass

from keras import ops

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.heads import TokenClassification
from keras_tfm.layers.seq2seq import DecoderQuestionAnswering, LastEndClassification
from keras_tfm.models.t5 import T5Config, T5Decoder, T5EncoderModel, T5ForConditionalGeneration, T5Model


@dataclass(kw_only=True)
class UMT5Config(T5Config):
    model_type = "umt5"

    vocab_size: int = 250112
    d_ff: int = 1024
    num_layers: int = 8
    num_heads: int = 6
    feed_forward_proj: str = "gated-gelu"
    decoder_start_token_id: int | None = 0


class BiasedAttention(Attention):
    """Attention with biases by distance of its own.

    Args:
        relative: the layer that makes them.
    """

    def __init__(self, *args, relative, **kwargs):
        super().__init__(*args, **kwargs)
        self.relative = relative

    def score_bias(self, query, key, start):
        return self.relative(tokens=ops.shape(query)[1], keys=ops.shape(key)[1], start=start)


class UMT5EncoderModel(T5EncoderModel):
    config_class = UMT5Config
    shares_biases = False

    def make_self_attention(self):
        return self.make_attention(BiasedAttention, relative=self.make_relative())


class UMT5Decoder(T5Decoder):
    config_class = UMT5Config
    shares_biases = False
    make_self_attention = UMT5EncoderModel.make_self_attention


class UMT5Model(T5Model):
    encoder_class = UMT5EncoderModel
    decoder_class = UMT5Decoder


class UMT5ForConditionalGeneration(T5ForConditionalGeneration):
    backbone_class = UMT5Model


class UMT5ForSequenceClassification(LastEndClassification):
    backbone_class = UMT5Model


class UMT5ForTokenClassification(TokenClassification):
    backbone_class = UMT5EncoderModel


class UMT5ForQuestionAnswering(DecoderQuestionAnswering):
    backbone_class = UMT5Model

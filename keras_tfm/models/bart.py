"""BART: an encoder-decoder, pretrained by mending corrupted texts (arXiv:1910.13461).

Shapes: B batch, S tokens of the encoder, T new tokens of the decoder, D width, V words.
"""

from dataclasses import dataclass

from keras_tfm.layers.config import Config
from keras_tfm.layers.seq2seq import (
    BiasedConditionalGeneration,
    DecoderQuestionAnswering,
    LastEndClassification,
    Seq2Seq,
)
from keras_tfm.layers.transformer import Decoder, DecoderForCausalLM, Encoder


@dataclass(kw_only=True)
class BartConfig(Config):
    model_type = "bart"
    default_labels = 3
    synonyms = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "initializer_range": "init_std",
        "hidden_dropout_prob": "dropout",
    }

    vocab_size: int = 50265
    max_position_embeddings: int = 1024
    encoder_layers: int = 12
    encoder_ffn_dim: int = 4096
    encoder_attention_heads: int = 16
    decoder_layers: int = 12
    decoder_ffn_dim: int = 4096
    decoder_attention_heads: int = 16
    encoder_layerdrop: float = 0.0  # of no effect here
    decoder_layerdrop: float = 0.0  # of no effect here
    activation_function: str = "gelu"
    d_model: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    classifier_dropout: float = 0.0
    scale_embedding: bool = False
    num_hidden_layers: int | None = None  # `encoder_layers`, under the name that all know
    use_cache: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list | None = 2
    is_encoder_decoder: bool = True
    decoder_start_token_id: int | None = 2
    forced_eos_token_id: int | None = 2

    def __post_init__(self):
        super().__post_init__()
        self.initializer_range, self.num_hidden_layers = self.init_std, self.encoder_layers


class BartEncoder(Encoder):
    config_class = BartConfig


class BartDecoder(Decoder):
    config_class = BartConfig


class BartModel(Seq2Seq):
    """As `Seq2Seq`; without anything for the decoder it sees the encoder's text, shifted by one."""

    encoder_class = BartEncoder
    decoder_class = BartDecoder
    shifts_source = True


class BartForConditionalGeneration(BiasedConditionalGeneration):
    backbone_class = BartModel


class BartForSequenceClassification(LastEndClassification):
    backbone_class = BartModel


class BartForQuestionAnswering(DecoderQuestionAnswering):
    backbone_class = BartModel


class BartForCausalLM(DecoderForCausalLM):
    backbone_class = BartDecoder

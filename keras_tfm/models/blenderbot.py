"""Blenderbot: an encoder-decoder that chats (arXiv:2004.13637)."""

from dataclasses import dataclass

from keras_tfm.layers.seq2seq import BiasedConditionalGeneration, Seq2Seq
from keras_tfm.layers.transformer import DecoderForCausalLM, PreNormDecoder, PreNormEncoder
from keras_tfm.models.bart import BartConfig


@dataclass(kw_only=True)
class BlenderbotConfig(BartConfig):
    model_type = "blenderbot"
    default_labels = 2

    vocab_size: int = 8008
    max_position_embeddings: int = 128
    encoder_layers: int = 2
    encoder_ffn_dim: int = 10240
    encoder_attention_heads: int = 32
    decoder_layers: int = 24
    decoder_ffn_dim: int = 10240
    decoder_attention_heads: int = 32
    d_model: int = 2560
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    decoder_start_token_id: int | None = 1
    encoder_no_repeat_ngram_size: int = 3


class BlenderbotEncoder(PreNormEncoder):
    config_class = BlenderbotConfig
    embedding_norm = False
    unused_rows = 0


class BlenderbotDecoder(PreNormDecoder):
    config_class = BlenderbotConfig
    embedding_norm = False
    unused_rows = 0


class BlenderbotModel(Seq2Seq):
    encoder_class = BlenderbotEncoder
    decoder_class = BlenderbotDecoder


class BlenderbotForConditionalGeneration(BiasedConditionalGeneration):
    backbone_class = BlenderbotModel


class BlenderbotForCausalLM(DecoderForCausalLM):
    backbone_class = BlenderbotDecoder

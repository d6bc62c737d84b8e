"""Llama: a decoder with rotary positions, queries that share keys, and gated MLPs (arXiv:2302.13971, arXiv:2307.09288).

Shapes: B batch, T new tokens, S keys, D width, H heads, K key/value heads, C channels a head.
"""

from dataclasses import dataclass

from keras.layers import RMSNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering
from keras_tfm.layers.mlp import GatedMLP
from keras_tfm.layers.positions import rotary


@dataclass(kw_only=True)
class LlamaConfig(Config):
    model_type = "llama"

    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-6
    use_cache: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = 1
    eos_token_id: int | list | None = 2
    pretraining_tp: int = 1
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict | None = None
    attention_bias: bool = False
    attention_dropout: float = 0.0
    mlp_bias: bool = False

    def __post_init__(self):
        super().__post_init__()
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads
        self.head_dim = self.head_dim or self.hidden_size // self.num_attention_heads


class LlamaModel(CausalDecoder):
    config_class = LlamaConfig

    def make_block(self, index):
        norms = {"attention_norm": self.make_norm(), "mlp_norm": self.make_norm()}
        return PreNormBlock(self.make_attention(index), self.make_mlp(), **norms)

    def make_attention(self, index, **options):
        """The attention of the block at a place; `options` are what a variant adds or changes."""
        c = self.config
        options = {"bias": c.attention_bias, "dropout": c.attention_dropout} | options
        return Attention(c.hidden_size, c.num_attention_heads, c.num_key_value_heads, c.head_dim, **options)

    def make_mlp(self):
        c = self.config
        return GatedMLP(c.hidden_size, c.intermediate_size, c.hidden_act, c.mlp_bias)

    def make_norm(self):
        return RMSNormalization(epsilon=self.config.rms_norm_eps)

    def relations(self, inputs, positions, cache):
        c = self.config
        return {"rope": rotary(positions, c.head_dim, c.rope_theta, c.rope_scaling, c.max_position_embeddings)}


class LlamaForCausalLM(NextWordPrediction):
    backbone_class = LlamaModel


class LlamaForSequenceClassification(LastTokenClassification):
    backbone_class = LlamaModel


class LlamaForQuestionAnswering(QuestionAnswering):
    backbone_class = LlamaModel

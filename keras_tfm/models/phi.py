"""Phi: a decoder whose attention and MLP stand side by side behind one norm, with partly rotated heads
(arXiv:2306.11644, arXiv:2309.05463).

Shapes: B batch, T new tokens, S keys, D width, H heads, K key/value heads, C channels a head.
"""

from dataclasses import dataclass

from keras.layers import LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.blocks import ParallelBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import TokenClassification
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import rotary


@dataclass(kw_only=True)
class PhiConfig(Config):
    model_type = "phi"

    vocab_size: int = 51200
    hidden_size: int = 2048
    intermediate_size: int = 8192
    num_hidden_layers: int = 24
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    attention_dropout: float = 0.0
    classifier_dropout: float | None = None
    hidden_act: str = "gelu_new"
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict | None = None
    partial_rotary_factor: float = 0.5
    qk_layernorm: bool = False
    bos_token_id: int | None = 1
    eos_token_id: int | list | None = 2

    def __post_init__(self):
        super().__post_init__()
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads


class PhiModel(CausalDecoder):
    config_class = PhiConfig

    def make_block(self, index):
        c = self.config
        norms = {"query_norm": self.make_norm(), "key_norm": self.make_norm()} if c.qk_layernorm else {}
        attention = Attention(
            c.hidden_size, c.num_attention_heads, c.num_key_value_heads, dropout=c.attention_dropout, **norms
        )
        mlp = MLP(c.hidden_size, c.intermediate_size, c.hidden_act)
        return ParallelBlock(attention, mlp, self.make_norm(), dropout=c.resid_pdrop)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_eps)

    def dropout_rate(self):
        return self.config.embd_pdrop

    def relations(self, inputs, positions, cache):
        c = self.config
        rotated = int(c.hidden_size // c.num_attention_heads * c.partial_rotary_factor)
        return {"rope": rotary(positions, rotated, c.rope_theta, c.rope_scaling, c.max_position_embeddings)}


class PhiForCausalLM(NextWordPrediction):
    backbone_class = PhiModel
    bias = True


class PhiForSequenceClassification(LastTokenClassification):
    backbone_class = PhiModel


class PhiForTokenClassification(TokenClassification):
    backbone_class = PhiModel

    def dropout_rate(self):
        rate = self.config.classifier_dropout
        return 0.1 if rate is None else rate

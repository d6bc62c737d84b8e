"""Falcon: a decoder that computes attention and MLP side by side, with queries that share keys (arXiv:2311.16867).

Shapes: B batch, T new tokens, S keys, D width, H heads, K key/value heads, C channels a head.
"""

from dataclasses import dataclass

from keras.layers import LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.blocks import ParallelBlock, PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering, TokenClassification
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import alibi, key_places, real_positions, rotary


@dataclass(kw_only=True)
class FalconConfig(Config):
    """Raises ValueError where `rope_scaling` meets `alibi`, which rotates nothing."""

    model_type = "falcon"
    synonyms = {"hidden_dropout_prob": "hidden_dropout", "n_embed": "hidden_size"}

    vocab_size: int = 65024
    hidden_size: int = 4544
    num_hidden_layers: int = 32
    num_attention_heads: int = 71
    num_ln_in_parallel_attn: int | None = None
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    use_cache: bool = True
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    num_kv_heads: int | None = None
    alibi: bool = False
    new_decoder_architecture: bool = False
    multi_query: bool = True
    parallel_attn: bool = True
    bias: bool = False
    max_position_embeddings: int = 2048
    rope_theta: float = 10000.0
    rope_scaling: dict | None = None
    bos_token_id: int | None = 11
    eos_token_id: int | list | None = 11
    ffn_hidden_size: int | None = None
    activation: str = "gelu"
    tie_word_embeddings: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.num_kv_heads = self.num_kv_heads or self.num_attention_heads
        self.ffn_hidden_size = self.ffn_hidden_size or 4 * self.hidden_size
        if self.alibi and self.rope_scaling:
            raise ValueError("rope_scaling is for rotary positions: leave it out, or set alibi=False")

    @property
    def head_dim(self):
        return self.hidden_size // self.num_attention_heads

    @property
    def key_heads(self):
        """K: `num_kv_heads` counts in the new layout of the blocks only."""
        if self.new_decoder_architecture:
            return self.num_kv_heads
        return 1 if self.multi_query else self.num_attention_heads

    @property
    def two_norms(self):
        """Whether attention and MLP, side by side, have a norm each."""
        return self.new_decoder_architecture and self.num_ln_in_parallel_attn != 1


class FalconModel(CausalDecoder):
    """As `CausalDecoder`; with `alibi` distances are counted in tokens that attention_mask calls real."""

    config_class = FalconConfig

    def make_block(self, index):
        c = self.config
        attention = Attention(
            c.hidden_size, c.num_attention_heads, c.key_heads, bias=c.bias, dropout=c.attention_dropout
        )
        mlp = MLP(c.hidden_size, c.ffn_hidden_size, c.activation, c.bias)
        if c.parallel_attn or c.new_decoder_architecture:
            second = self.make_norm() if c.two_norms else None
            return ParallelBlock(attention, mlp, self.make_norm(), second, dropout=c.hidden_dropout)
        return PreNormBlock(attention, mlp, self.make_norm(), self.make_norm(), dropout=c.hidden_dropout)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_epsilon)

    def relations(self, inputs, positions, cache):
        c = self.config
        if not c.alibi:
            return {"rope": rotary(positions, c.head_dim, c.rope_theta, c.rope_scaling, c.max_position_embeddings)}
        keys = real_positions(inputs.get("attention_mask"), key_places(inputs, cache))
        # Falcon was trained with biases in bfloat16, which were scaled together with the scores.
        return {"bias": alibi(keys, positions, c.num_attention_heads, "bfloat16") * c.head_dim**-0.5}


class FalconForCausalLM(NextWordPrediction):
    backbone_class = FalconModel


class FalconForSequenceClassification(LastTokenClassification):
    backbone_class = FalconModel


class FalconForTokenClassification(TokenClassification):
    backbone_class = FalconModel


class FalconForQuestionAnswering(QuestionAnswering):
    backbone_class = FalconModel

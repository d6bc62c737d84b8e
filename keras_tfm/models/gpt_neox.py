"""GPT-NeoX: a decoder whose attention and MLP stand side by side, with partly rotated heads (arXiv:2204.06745).

Shapes: B batch, T new tokens, S keys, D width, H heads, C channels a head.
"""

from dataclasses import dataclass

from keras.layers import LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.blocks import ParallelBlock, PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering, TokenClassification
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import rotary


@dataclass(kw_only=True)
class GPTNeoXConfig(Config):
    model_type = "gpt_neox"
    synonyms = {"rope_theta": "rotary_emb_base", "partial_rotary_factor": "rotary_pct"}

    vocab_size: int = 50432
    hidden_size: int = 6144
    num_hidden_layers: int = 44
    num_attention_heads: int = 64
    intermediate_size: int = 24576
    hidden_act: str = "gelu"
    rotary_pct: float = 0.25
    rotary_emb_base: float = 10000
    attention_dropout: float = 0.0
    hidden_dropout: float = 0.0
    classifier_dropout: float = 0.1
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list | None = 2
    tie_word_embeddings: bool = False
    use_parallel_residual: bool = True
    rope_scaling: dict | None = None
    attention_bias: bool = True


class GPTNeoXModel(CausalDecoder):
    config_class = GPTNeoXConfig

    def make_block(self, index):
        c = self.config
        attention = Attention(c.hidden_size, c.num_attention_heads, bias=c.attention_bias, dropout=c.attention_dropout)
        mlp = MLP(c.hidden_size, c.intermediate_size, c.hidden_act)
        block = ParallelBlock if c.use_parallel_residual else PreNormBlock
        return block(attention, mlp, self.make_norm(), self.make_norm(), dropout=c.hidden_dropout)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_eps)

    def dropout_rate(self):
        return self.config.hidden_dropout

    def relations(self, inputs, positions, cache):
        c = self.config
        rotated = int(c.hidden_size // c.num_attention_heads * c.rotary_pct)
        return {"rope": rotary(positions, rotated, c.rotary_emb_base, c.rope_scaling, c.max_position_embeddings)}


class GPTNeoXForCausalLM(NextWordPrediction):
    backbone_class = GPTNeoXModel


class GPTNeoXForSequenceClassification(LastTokenClassification):
    backbone_class = GPTNeoXModel


class GPTNeoXForTokenClassification(TokenClassification):
    backbone_class = GPTNeoXModel


class GPTNeoXForQuestionAnswering(QuestionAnswering):
    backbone_class = GPTNeoXModel

"""MPT: a decoder without positions or biases, whose attention falls with the distance ("Introducing MPT-7B", MosaicML
2023; arXiv:2108.12409).

Shapes: B batch, T new tokens, S keys, D width, H heads, V words.
"""

import functools
from dataclasses import dataclass

from keras import ops
from keras.layers import LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering, TokenClassification
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import alibi, key_places


@dataclass(kw_only=True)
class MptConfig(Config):
    """Of `attn_config` count `softmax_scale` (default 1 / sqrt(C)), `attn_pdrop` (default 0) and `clip_qkv` (default
    no limit), as in the reference."""

    model_type = "mpt"
    synonyms = {"hidden_size": "d_model", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}

    d_model: int = 2048
    n_heads: int = 16
    n_layers: int = 24
    expansion_ratio: int = 4
    max_seq_len: int = 2048
    vocab_size: int = 50368
    resid_pdrop: float = 0.0
    layer_norm_epsilon: float = 1e-5
    emb_pdrop: float = 0.0
    learned_pos_emb: bool = True
    attn_config: dict | None = None
    init_device: str = "cpu"
    logit_scale: float | str | None = None
    no_bias: bool = True
    verbose: int = 0
    embedding_fraction: float = 1.0
    norm_type: str = "low_precision_layernorm"
    use_cache: bool = False
    initializer_range: float = 0.02
    tie_word_embeddings: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.attn_config = self.attn_config or {}


class MptAttention(Attention):
    """As `Attention`; queries, keys and values are clipped to -limit .. limit."""

    def __init__(self, *args, limit, **kwargs):
        super().__init__(*args, **kwargs)
        for layer in (self.query, self.key, self.value):
            layer.activation = functools.partial(ops.clip, x_min=-limit, x_max=limit)


class MptModel(CausalDecoder):
    config_class = MptConfig
    optional = ("inputs_embeds",)

    def make_block(self, index):
        c = self.config
        dropout, limit = c.attn_config.get("attn_pdrop", 0.0), c.attn_config.get("clip_qkv")
        options = {"bias": False, "dropout": dropout, "scale": c.attn_config.get("softmax_scale")}
        if limit:
            attention = MptAttention(c.d_model, c.n_heads, limit=limit, **options)
        else:
            attention = Attention(c.d_model, c.n_heads, **options)
        mlp = MLP(c.d_model, 4 * c.d_model, "gelu", bias=False)
        return PreNormBlock(attention, mlp, self.make_norm(), self.make_norm(), dropout=dropout)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_epsilon, center=False)

    def relations(self, inputs, positions, cache):
        return {"bias": alibi(key_places(inputs, cache)[None], positions, self.config.n_heads)}

    @property
    def room(self):
        return self.config.max_seq_len


class MptForCausalLM(NextWordPrediction):
    backbone_class = MptModel


class MptForSequenceClassification(LastTokenClassification):
    backbone_class = MptModel


class MptForTokenClassification(TokenClassification):
    backbone_class = MptModel

    def dropout_rate(self):
        rate = self.config.extra.get("classifier_dropout")  # no field of the configuration, and yet heeded
        return 0.1 if rate is None else rate


class MptForQuestionAnswering(QuestionAnswering):
    backbone_class = MptModel

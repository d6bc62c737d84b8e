"""OPT: a decoder with learned positions, which the attention mask counts (arXiv:2205.01068).

Shapes: B batch, T new tokens, S keys, D width, E width of the word embeddings, V words.
"""

from dataclasses import dataclass

from keras.layers import Dense, Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.blocks import PostNormBlock, PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import real_positions

UNUSED_ROWS = 2  # at the beginning of the position table; padding gets the second


@dataclass(kw_only=True)
class OPTConfig(Config):
    model_type = "opt"
    synonyms = {"initializer_range": "init_std"}

    vocab_size: int = 50272
    hidden_size: int = 768
    num_hidden_layers: int = 12
    ffn_dim: int = 3072
    max_position_embeddings: int = 2048
    do_layer_norm_before: bool = True
    _remove_final_layer_norm: bool = False
    word_embed_proj_dim: int | None = None
    dropout: float = 0.1
    attention_dropout: float = 0.0
    num_attention_heads: int = 12
    activation_function: str = "relu"
    layerdrop: float = 0.0  # of no effect here
    init_std: float = 0.02
    use_cache: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 2
    eos_token_id: int | list | None = 2
    enable_bias: bool = True
    layer_norm_elementwise_affine: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.word_embed_proj_dim = self.word_embed_proj_dim or self.hidden_size
        self.initializer_range = self.init_std

    @property
    def projects_words(self):
        """Whether the word embeddings are of another width than the blocks."""
        return self.word_embed_proj_dim != self.hidden_size


class OPTEmbeddings(Layer):
    """Words, brought to the width of the blocks where theirs is another, and positions."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.word = Embedding(c.vocab_size, c.word_embed_proj_dim)
        self.project = Dense(c.hidden_size, use_bias=False) if c.projects_words else None
        self.position = Embedding(c.max_position_embeddings + UNUSED_ROWS, c.hidden_size)

    def call(self, inputs, places):
        """inputs (B, T) or (B, T, E), places (T,) -> (B, T, D)."""
        given = inputs.get("inputs_embeds")
        x = self.word(inputs["input_ids"]) if given is None else given
        x = x if self.project is None else self.project(x)
        return x + self.position(real_positions(inputs.get("attention_mask"), places) + UNUSED_ROWS)


class OPTExit(Layer):
    """What follows the last block: a norm, unless the blocks end with theirs, and the way back to the words' width."""

    def __init__(self, c, norm, **kwargs):
        super().__init__(**kwargs)
        self.norm = norm if c.do_layer_norm_before and not c._remove_final_layer_norm else None
        self.project = Dense(c.word_embed_proj_dim, use_bias=False) if c.projects_words else None

    def call(self, x):
        """x (B, T, D) -> (B, T, E)."""
        x = x if self.norm is None else self.norm(x)
        return x if self.project is None else self.project(x)


class OPTModel(CausalDecoder):
    """As `CausalDecoder`; the tokens that attention_mask calls real are numbered. Embeddings and last_hidden_state are
    as wide as the word embeddings."""

    config_class = OPTConfig
    optional = ("inputs_embeds",)

    def make_embeddings(self):
        return OPTEmbeddings(self.config)

    def make_block(self, index):
        c = self.config
        attention = Attention(c.hidden_size, c.num_attention_heads, bias=c.enable_bias, dropout=c.attention_dropout)
        mlp = MLP(c.hidden_size, c.ffn_dim, c.activation_function, c.enable_bias)
        block = PreNormBlock if c.do_layer_norm_before else PostNormBlock
        return block(attention, mlp, self.layer_norm(), self.layer_norm(), dropout=c.dropout)

    def layer_norm(self):
        affine = self.config.layer_norm_elementwise_affine
        return LayerNormalization(epsilon=1e-5, center=affine, scale=affine)

    def make_norm(self):
        return OPTExit(self.config, self.layer_norm())

    def embed(self, inputs, positions, training=None):
        return self.embeddings(inputs, positions[0])

    @property
    def word_table(self):
        return self.embeddings.word

    @property
    def room(self):
        return self.config.max_position_embeddings


class OPTForCausalLM(NextWordPrediction):
    backbone_class = OPTModel


class OPTForSequenceClassification(LastTokenClassification):
    backbone_class = OPTModel


class OPTForQuestionAnswering(QuestionAnswering):
    backbone_class = OPTModel

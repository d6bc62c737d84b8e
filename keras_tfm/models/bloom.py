"""BLOOM: a decoder that biases attention by distance instead of having positions (arXiv:2211.05100, arXiv:2108.12409).

Shapes: B batch, T new tokens, S keys, D width, H heads, V words.
"""

from dataclasses import dataclass

from keras.layers import Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.embeddings import vectors
from keras_tfm.layers.heads import QuestionAnswering, TokenClassification
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import alibi, key_places, real_positions


@dataclass(kw_only=True)
class BloomConfig(Config):
    model_type = "bloom"
    synonyms = {
        "hidden_dropout_prob": "hidden_dropout",
        "n_embed": "hidden_size",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 250880
    hidden_size: int = 64
    n_layer: int = 2
    n_head: int = 8
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    use_cache: bool = True
    bos_token_id: int | None = 1
    eos_token_id: int | list | None = 2
    apply_residual_connection_post_layernorm: bool = False
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    pretraining_tp: int = 1  # with slow_but_exact, an order of the same sums
    slow_but_exact: bool = False


class BloomEmbeddings(Layer):
    """Word embeddings, normalised."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.word = Embedding(c.vocab_size, c.hidden_size)
        self.norm = LayerNormalization(epsilon=c.layer_norm_epsilon)

    def call(self, inputs):
        """inputs (B, T) or (B, T, D) -> (B, T, D)."""
        given = inputs.get("inputs_embeds")
        return self.norm(self.word(inputs["input_ids"]) if given is None else given)


class BloomNormedBlock(PreNormBlock):
    """As `PreNormBlock`, but attention and MLP are added to their normalised inputs."""

    def call(self, x, attend=None, bias=None, cache=None, start=0, weights=False):
        """x (B, T, D), attend (B, 1, T, S) -> (B, T, D), cache, {"attentions": weights (B, H, T, S)}."""
        x = self.attention_norm(x)
        y, cache, seen = self.attention(x, attend=attend, bias=bias, cache=cache, start=start, weights=weights)
        x = self.mlp_norm(x + self.dropout(y))
        return x + self.dropout(self.mlp(x)), cache, {"attentions": seen}


class BloomModel(CausalDecoder):
    """As `CausalDecoder`; distances are counted in tokens that attention_mask calls real."""

    config_class = BloomConfig
    optional = ("inputs_embeds",)

    def make_embeddings(self):
        return BloomEmbeddings(self.config)

    def make_block(self, index):
        c = self.config
        attention = Attention(c.hidden_size, c.n_head, dropout=c.attention_dropout)
        mlp = MLP(c.hidden_size, 4 * c.hidden_size, "gelu_new")
        block = BloomNormedBlock if c.apply_residual_connection_post_layernorm else PreNormBlock
        return block(attention, mlp, self.make_norm(), self.make_norm(), dropout=c.hidden_dropout)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_epsilon)

    def embed(self, inputs, positions, training=None):
        return self.embeddings(inputs)

    def relations(self, inputs, positions, cache):
        keys = real_positions(inputs.get("attention_mask"), key_places(inputs, cache))
        return {"bias": alibi(keys, positions, self.config.n_head)}

    def words(self):
        return vectors(self.embeddings.word)


class BloomForCausalLM(NextWordPrediction):
    backbone_class = BloomModel


class BloomForSequenceClassification(LastTokenClassification):
    backbone_class = BloomModel


class BloomForTokenClassification(TokenClassification):
    backbone_class = BloomModel


class BloomForQuestionAnswering(QuestionAnswering):
    backbone_class = BloomModel

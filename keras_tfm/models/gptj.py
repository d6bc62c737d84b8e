"""GPT-J: a decoder whose attention and MLP stand side by side behind one norm, with partly rotated heads ("Mesh
Transformer JAX", Wang 2021; arXiv:2104.09864).

Shapes: B batch, T new tokens, S keys, D width, H heads, C channels a head.
"""

from dataclasses import dataclass

from keras.layers import LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.blocks import ParallelBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import rotary, rotate_pairs


@dataclass(kw_only=True)
class GPTJConfig(Config):
    model_type = "gptj"
    synonyms = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 50400
    n_positions: int = 2048
    n_embd: int = 4096
    n_layer: int = 28
    n_head: int = 16
    rotary_dim: int | None = 64
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    attn_pdrop: float = 0.0
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    use_cache: bool = True
    bos_token_id: int | None = 50256
    eos_token_id: int | list | None = 50256
    tie_word_embeddings: bool = False


class GPTJAttention(Attention):
    """Attention that rotates neighbouring channels."""

    rotate = staticmethod(rotate_pairs)


class GPTJModel(CausalDecoder):
    """As `CausalDecoder`; it also takes token_type_ids (B, T), which are words, too."""

    config_class = GPTJConfig
    optional = (*CausalDecoder.optional, "token_type_ids")

    def make_block(self, index):
        c = self.config
        attention = GPTJAttention(c.hidden_size, c.num_attention_heads, bias=False, dropout=c.attn_pdrop)
        mlp = MLP(c.hidden_size, c.n_inner or 4 * c.hidden_size, c.activation_function)
        return ParallelBlock(attention, mlp, self.make_norm(), dropout=c.resid_pdrop)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_epsilon)

    def dropout_rate(self):
        return self.config.embd_pdrop

    def embed(self, inputs, positions, training=None):
        x = super().embed(inputs, positions, training)
        types = inputs.get("token_type_ids")
        return x if types is None else x + self.embeddings(types)

    def relations(self, inputs, positions, cache):
        c = self.config
        return {"rope": rotary(positions, c.rotary_dim or c.hidden_size // c.num_attention_heads)}


class GPTJForCausalLM(NextWordPrediction):
    backbone_class = GPTJModel
    bias = True


class GPTJForSequenceClassification(LastTokenClassification):
    backbone_class = GPTJModel


class GPTJForQuestionAnswering(QuestionAnswering):
    backbone_class = GPTJModel

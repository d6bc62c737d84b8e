"""OpenAI GPT: a decoder that normalises behind attention and MLP ("Improving Language Understanding by Generative
Pre-Training", Radford et al. 2018).

Shapes: B batch, T new tokens, S keys, D width, H heads, V words.
"""

from dataclasses import dataclass

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.encoder import EncoderBlock
from keras_tfm.models.gpt2 import GPT2DoubleHeadsModel, GPT2Model


@dataclass(kw_only=True)
class OpenAIGPTConfig(Config):
    model_type = "openai-gpt"
    synonyms = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
        "layer_norm_eps": "layer_norm_epsilon",
        "hidden_dropout_prob": "resid_pdrop",
    }

    vocab_size: int = 40478
    n_positions: int = 512
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    afn: str = "gelu"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    summary_type: str = "cls_index"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1

    @property
    def intermediate_size(self):
        return 4 * self.n_embd

    @property
    def hidden_act(self):
        return "gelu_new" if self.afn == "gelu" else self.afn  # GPT's GELU was the approximate one from the start


class OpenAIGPTModel(GPT2Model):
    """As `CausalDecoder`; it also takes token_type_ids (B, T), which are words, too."""

    config_class = OpenAIGPTConfig
    optional = (*CausalDecoder.optional, "token_type_ids")

    def make_block(self, index):
        c = self.config
        return EncoderBlock(c, Attention(c.hidden_size, c.num_attention_heads, dropout=c.attn_pdrop))

    def make_norm(self):
        return None  # the last block ends with one


class OpenAIGPTLMHeadModel(NextWordPrediction):
    backbone_class = OpenAIGPTModel


class OpenAIGPTDoubleHeadsModel(GPT2DoubleHeadsModel):
    backbone_class = OpenAIGPTModel
    optional = (*OpenAIGPTModel.optional, "mc_token_ids")


class OpenAIGPTForSequenceClassification(LastTokenClassification):
    backbone_class = OpenAIGPTModel

"""GPTBigCode: GPT-2 whose heads may share one key and value, and which the attention mask counts (arXiv:2301.03988).

Shapes: B batch, T new tokens, D width, H heads.
"""

from dataclasses import dataclass

from keras import ops

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.positions import real_positions
from keras_tfm.models.gpt2 import GPT2ForTokenClassification, GPT2Model


@dataclass(kw_only=True)
class GPTBigCodeConfig(Config):
    """Raises a ValueError for add_cross_attention, which the architecture does not have."""

    model_type = "gpt_bigcode"
    synonyms = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_pytorch_tanh"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    classifier_dropout: float | None = None
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    scale_attn_weights: bool = True
    use_cache: bool = True
    bos_token_id: int | None = 50256
    eos_token_id: int | list | None = 50256
    attention_softmax_in_fp32: bool = True  # ours always is
    scale_attention_softmax_in_fp32: bool = True  # an order of the same products, for float16
    multi_query: bool = True

    def __post_init__(self):
        super().__post_init__()
        if self.add_cross_attention:
            raise ValueError("GPTBigCode has no cross attention: leave add_cross_attention out")

    @property
    def fused_groups(self):
        """How many groups of queries, keys and values a checkpoint has in one matrix."""
        return 1 if self.multi_query else self.n_head


class GPTBigCodeModel(GPT2Model):
    """As `CausalDecoder`; without position_ids, the tokens that attention_mask (B, <= S) calls real are numbered. It
    also takes token_type_ids (B, T)."""

    config_class = GPTBigCodeConfig
    optional = (*CausalDecoder.optional, "token_type_ids")

    def make_attention(self, index):
        c = self.config
        return Attention(
            c.hidden_size,
            c.num_attention_heads,
            kv_heads=1 if c.multi_query else None,
            dropout=c.attn_pdrop,
            scale=None if c.scale_attn_weights else 1.0,
        )

    def embed(self, inputs, positions, training=None):
        if inputs.get("position_ids") is None:
            positions = real_positions(inputs.get("attention_mask"), positions[0])
            positions = ops.where(positions < 0, 1, positions)  # padding has the second position
        return super().embed(inputs, positions, training)


class GPTBigCodeForCausalLM(NextWordPrediction):
    backbone_class = GPTBigCodeModel


class GPTBigCodeForSequenceClassification(LastTokenClassification):
    backbone_class = GPTBigCodeModel


class GPTBigCodeForTokenClassification(GPT2ForTokenClassification):
    backbone_class = GPTBigCodeModel

"""Gemma: Llama with scaled word embeddings, GELU gates, and norms that add one to their scale (arXiv:2403.08295).

Shapes: B batch, T new tokens, D width.
"""

from dataclasses import dataclass

from keras import initializers, ops
from keras.layers import RMSNormalization

from keras_tfm.layers.decoder import LastTokenClassification, NextWordPrediction
from keras_tfm.layers.mlp import GatedMLP
from keras_tfm.models.llama import LlamaConfig, LlamaModel


@dataclass(kw_only=True)
class GemmaConfig(LlamaConfig):
    model_type = "gemma"

    vocab_size: int = 256000
    hidden_size: int = 3072
    intermediate_size: int = 24576
    num_hidden_layers: int = 28
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    head_dim: int | None = 256
    hidden_act: str = "gelu_pytorch_tanh"
    hidden_activation: str | None = None
    max_position_embeddings: int = 8192
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list | None = 1
    tie_word_embeddings: bool = True


class GemmaNorm(RMSNormalization):
    """RMS normalization, multiplied by one more than the scale: x (.., D) -> (.., D), in float32 inside."""

    scale_initializer = initializers.Zeros()

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=shape[-1:], initializer=self.scale_initializer, autocast=False)

    def call(self, x):
        return ops.rms_normalization(x, scale=1 + ops.cast(self.scale, "float32"), epsilon=self.epsilon)


class GemmaModel(LlamaModel):
    config_class = GemmaConfig

    def embed(self, inputs, positions, training=None):
        x = super().embed(inputs, positions, training)
        return x * ops.cast(self.config.hidden_size**0.5, x.dtype)  # rounded as the embeddings are, as in training

    def make_norm(self):
        return GemmaNorm(epsilon=self.config.rms_norm_eps)

    def make_mlp(self):
        c = self.config
        # The first checkpoints say "gelu" in `hidden_act` and mean the approximation: that field never counts.
        return GatedMLP(c.hidden_size, c.intermediate_size, c.hidden_activation or "gelu_pytorch_tanh", c.mlp_bias)


class GemmaForCausalLM(NextWordPrediction):
    backbone_class = GemmaModel


class GemmaForSequenceClassification(LastTokenClassification):
    backbone_class = GemmaModel

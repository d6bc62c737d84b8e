"""Mistral: Llama whose tokens see only a window of those before them (arXiv:2310.06825)."""

from dataclasses import dataclass

from keras_tfm.layers.decoder import LastTokenClassification, NextWordPrediction
from keras_tfm.models.llama import LlamaConfig, LlamaModel


@dataclass(kw_only=True)
class MistralConfig(LlamaConfig):
    model_type = "mistral"

    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 131072
    sliding_window: int | None = 4096


class MistralModel(LlamaModel):
    """As `LlamaModel`; each token sees `sliding_window` tokens, itself and those just before it."""

    config_class = MistralConfig

    def make_attention(self, index):
        return super().make_attention(index, window=self.config.sliding_window)


class MistralForCausalLM(NextWordPrediction):
    backbone_class = MistralModel


class MistralForSequenceClassification(LastTokenClassification):
    backbone_class = MistralModel

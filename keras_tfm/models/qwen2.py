"""Qwen2: Llama with biases on queries, keys and values, and windows in the later blocks (arXiv:2407.10671)."""

from dataclasses import dataclass

from keras_tfm.layers.decoder import LastTokenClassification, NextWordPrediction
from keras_tfm.models.llama import LlamaConfig, LlamaModel


@dataclass(kw_only=True)
class Qwen2Config(LlamaConfig):
    model_type = "qwen2"

    vocab_size: int = 151936
    intermediate_size: int = 22016
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 32768
    bos_token_id: int | None = None
    eos_token_id: int | list | None = None
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    layer_types: list | None = None

    def window(self, index):
        """How many tokens those in a block see: `sliding_window` from block `max_window_layers` on, if it is used at
        all, or in the blocks that `layer_types` calls so; None for all tokens."""
        if self.layer_types is None:
            slides = self.use_sliding_window and index >= self.max_window_layers
        else:
            slides = self.layer_types[index] == "sliding_attention"
        return self.sliding_window if slides else None


class Qwen2Model(LlamaModel):
    config_class = Qwen2Config

    def make_attention(self, index):
        return super().make_attention(index, bias=True, project_bias=False, window=self.config.window(index))


class Qwen2ForCausalLM(NextWordPrediction):
    backbone_class = Qwen2Model


class Qwen2ForSequenceClassification(LastTokenClassification):
    backbone_class = Qwen2Model

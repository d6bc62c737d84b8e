"""MPNet: RoBERTa without token types, with T5's bias by distance in every block (arXiv:2004.09297).

Shapes: B batch, T tokens, H heads, D width, V words.
"""

from dataclasses import dataclass

from keras import ops

from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import CountedTextEmbeddings
from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import (
    FirstTokenClassification,
    GeluWordPrediction,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    TokenClassification,
)
from keras_tfm.layers.positions import RelativeBias

PADDING = 1  # what positions skip, whatever `pad_token_id` says
BUCKETS = 32  # of distances, however many rows `relative_attention_num_buckets` gives the table


@dataclass(kw_only=True)
class MPNetConfig(Config):
    model_type = "mpnet"

    vocab_size: int = 30527
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    relative_attention_num_buckets: int = 32
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list | None = 2


class MPNetModel(TextEncoder):
    """The encoder, with one table of biases (`relative`) for all blocks, and a tanh layer on the first token."""

    config_class = MPNetConfig
    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask")}
    optional = ("position_ids", "inputs_embeds")

    def __init__(self, config, pooler=True, **kwargs):
        super().__init__(config, pooler, **kwargs)
        c = self.config
        self.relative = RelativeBias(BUCKETS, c.num_attention_heads, rows=c.relative_attention_num_buckets)

    def make_embeddings(self):
        return super().make_embeddings(CountedTextEmbeddings, padding=PADDING)

    def relations(self, inputs, x, cache, start):
        tokens = ops.shape(x)[1]
        return {"bias": self.relative(tokens=tokens, keys=tokens)}  # (1, H, T, T)


class MPNetForMaskedLM(MaskedLanguageModeling):
    backbone_class = MPNetModel
    head_class = GeluWordPrediction


class MPNetForSequenceClassification(FirstTokenClassification):
    backbone_class = MPNetModel


class MPNetForMultipleChoice(MultipleChoice):
    backbone_class = MPNetModel


class MPNetForTokenClassification(TokenClassification):
    backbone_class = MPNetModel


class MPNetForQuestionAnswering(QuestionAnswering):
    backbone_class = MPNetModel

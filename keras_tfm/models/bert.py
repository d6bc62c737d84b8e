"""BERT: a post-norm encoder with learned positions, pretrained by filling in masked words (arXiv:1810.04805).

Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads, C channels a head, V words.
"""

from dataclasses import dataclass

from keras_tfm.layers.config import Config
from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    MaskedLanguageModeling,
    MultipleChoice,
    NextSentencePrediction,
    PreTraining,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
)


@dataclass(kw_only=True)
class BertConfig(Config):
    model_type = "bert"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    classifier_dropout: float | None = None


class BertModel(TextEncoder):
    """The encoder, or with `is_decoder` a causal decoder, with a tanh layer (`pooler`) on the first token."""

    config_class = BertConfig


class BertForMaskedLM(MaskedLanguageModeling):
    backbone_class = BertModel


class BertLMHeadModel(CausalLanguageModeling):
    backbone_class = BertModel


class BertForPreTraining(PreTraining):
    backbone_class = BertModel


class BertForNextSentencePrediction(NextSentencePrediction):
    backbone_class = BertModel


class BertForSequenceClassification(SequenceClassification):
    backbone_class = BertModel


class BertForMultipleChoice(MultipleChoice):
    backbone_class = BertModel


class BertForTokenClassification(TokenClassification):
    backbone_class = BertModel


class BertForQuestionAnswering(QuestionAnswering):
    backbone_class = BertModel

"""ALBERT: BERT with narrow word embeddings and blocks that all layers share (arXiv:1909.11942).

Shapes: B batch, T tokens, D width, V words.
"""

from dataclasses import dataclass

from keras.layers import Dense, Dropout

from keras_tfm.layers.base import Layer, run_blocks
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import RelativeKeyAttention
from keras_tfm.layers.encoder import EncoderBlock, TextEncoder, self_attention
from keras_tfm.layers.heads import (
    MaskedLanguageModeling,
    MultipleChoice,
    PreTraining,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
)


@dataclass(kw_only=True)
class AlbertConfig(Config):
    model_type = "albert"
    synonyms = {"classifier_dropout": "classifier_dropout_prob"}

    vocab_size: int = 30000
    embedding_size: int = 128
    hidden_size: int = 4096
    num_hidden_layers: int = 12
    num_hidden_groups: int = 1
    num_attention_heads: int = 64
    intermediate_size: int = 16384
    inner_group_num: int = 1
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout_prob: float = 0.1
    position_embedding_type: str = "absolute"
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list | None = 3


class UnscaledRelativeAttention(RelativeKeyAttention):
    """What the distances add to the scores is not scaled down with them."""

    def score_bias(self, query, key, start):
        return super().score_bias(query, key, start) / self.scale


class AlbertGroup(Layer):
    """The `inner_group_num` blocks that one after the other make a layer, for all layers of the group."""

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)
        self.blocks = blocks


class AlbertModel(TextEncoder):
    """The encoder: `num_hidden_groups` groups of blocks, each run as often as it has layers, and a pooler."""

    config_class = AlbertConfig
    optional = ("position_ids", "inputs_embeds")

    def make_embeddings(self):
        c = self.config
        return super().make_embeddings(width=c.embedding_size, project=c.hidden_size)

    def make_blocks(self):
        c = self.config
        inner = range(c.inner_group_num)
        return [AlbertGroup([self.make_block() for _ in inner]) for _ in range(c.num_hidden_groups)]

    def make_block(self):
        return EncoderBlock(self.config, self_attention(self.config, UnscaledRelativeAttention))

    def run(self, x, *args, **options):
        """As in other encoders; there is one hidden state a layer, not a block."""
        c = self.config
        layers = [self.blocks[i * c.num_hidden_groups // c.num_hidden_layers] for i in range(c.num_hidden_layers)]
        x, states = run_blocks([block for layer in layers for block in layer.blocks], x, c, *args, **options)
        if "hidden_states" in states:
            states["hidden_states"] = states["hidden_states"][:: c.inner_group_num]
        return x, states


class AlbertForMaskedLM(MaskedLanguageModeling):
    backbone_class = AlbertModel


class SentenceOrder(Layer):
    """Dropout and a dense layer: the pooled output (B, D) -> the scores of the classes (B, labels)."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.dropout = Dropout(c.classifier_dropout_prob)
        self.project = Dense(c.num_labels)

    def call(self, x):
        return self.project(self.dropout(x))


class AlbertForPreTraining(PreTraining):
    """Masked words (prediction_logits, (B, T, V)) and whether A and B are swapped (sop_logits, (B, labels))."""

    backbone_class = AlbertModel
    labels = {"labels": "prediction_logits", "sentence_order_label": "sop_logits"}

    def make_next_sentence(self):
        return SentenceOrder(self.config)


class AlbertForSequenceClassification(SequenceClassification):
    backbone_class = AlbertModel


class AlbertForMultipleChoice(MultipleChoice):
    backbone_class = AlbertModel


class AlbertForTokenClassification(TokenClassification):
    backbone_class = AlbertModel


class AlbertForQuestionAnswering(QuestionAnswering):
    backbone_class = AlbertModel

"""DistilBERT: BERT with half of the blocks, taught by BERT; no token types, no pooler (arXiv:1910.01108).

Shapes: B batch, T tokens, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

from keras.layers import Dense, Dropout

from keras_tfm.layers.config import Config
from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import (
    Classifier,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
)
from keras_tfm.layers.positions import Waves


@dataclass(kw_only=True)
class DistilBertConfig(Config):
    model_type = "distilbert"
    synonyms = {
        "hidden_size": "dim",
        "num_hidden_layers": "n_layers",
        "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim",
        "hidden_act": "activation",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }
    # What BERT's configuration lets vary and DistilBERT's does not.
    layer_norm_eps: ClassVar[float] = 1e-12

    vocab_size: int = 30522
    max_position_embeddings: int = 512
    sinusoidal_pos_embds: bool = False
    n_layers: int = 6
    n_heads: int = 12
    dim: int = 768
    hidden_dim: int = 3072
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation: str = "gelu"
    initializer_range: float = 0.02
    qa_dropout: float = 0.1
    seq_classif_dropout: float = 0.2
    pad_token_id: int | None = 0


class DistilBertModel(TextEncoder):
    """The encoder; with `sinusoidal_pos_embds` its positions are waves that training leaves as they are."""

    config_class = DistilBertConfig
    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask")}
    optional = ("inputs_embeds",)
    has_pooler = False

    def make_embeddings(self):
        embeddings = super().make_embeddings()
        if self.config.sinusoidal_pos_embds:
            embeddings.position.embeddings_initializer = Waves()
            embeddings.position.trainable = False
        return embeddings

    def make_pooler(self):
        return None


class DistilBertForMaskedLM(MaskedLanguageModeling):
    backbone_class = DistilBertModel


class _DenseBeforeClassifier(Classifier):
    """Classifies by a dense layer with a ReLU on the first token."""

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.dense = Dense(self.config.dim, activation="relu")

    def dropout_rate(self):
        return self.config.seq_classif_dropout

    def logits(self, outputs, training):
        return self.head(self.dropout(self.dense(outputs["last_hidden_state"][:, 0]), training=training))


class DistilBertForSequenceClassification(_DenseBeforeClassifier, SequenceClassification):
    backbone_class = DistilBertModel


class DistilBertForMultipleChoice(_DenseBeforeClassifier, MultipleChoice):
    backbone_class = DistilBertModel


class DistilBertForTokenClassification(TokenClassification):
    backbone_class = DistilBertModel


class DistilBertForQuestionAnswering(QuestionAnswering):
    """As `QuestionAnswering`; in training, `qa_dropout` of the hidden states is dropped."""

    backbone_class = DistilBertModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.dropout = Dropout(self.config.qa_dropout)

    def logits(self, outputs, training):
        return self.head(self.dropout(outputs["last_hidden_state"], training=training))

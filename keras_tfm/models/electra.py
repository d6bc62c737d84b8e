"""ELECTRA: a discriminator finds the words that a small generator has replaced (arXiv:2003.10555).

Both are BERT without a pooler, with word embeddings that may be narrower than the blocks.
Shapes: B batch, T tokens, D width.
"""

from dataclasses import dataclass

from keras import ops

from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    ClassificationHead,
    FirstTokenClassification,
    GeluWordPrediction,
    Head,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
    respond,
)
from keras_tfm.models.bert import BertConfig
from keras_tfm.training.losses import IGNORED, TokenBinaryCrossEntropy


@dataclass(kw_only=True)
class ElectraConfig(BertConfig):
    model_type = "electra"

    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_last_dropout: float = 0.1


class ElectraModel(TextEncoder):
    """The encoder, of a generator or of a discriminator; with `is_decoder` a causal decoder."""

    config_class = ElectraConfig
    has_pooler = False

    def make_embeddings(self):
        c = self.config
        project = c.hidden_size if c.hidden_size != c.embedding_size else None
        return super().make_embeddings(width=c.embedding_size, project=project)

    def make_pooler(self):
        return None


class ElectraForPreTraining(Head):
    """The discriminator: the score (B, T) of each token for having been replaced."""

    backbone_class = ElectraModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = ClassificationHead(self.config.hidden_size, 1, self.config.hidden_act)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> logits (B, T)."""
        outputs = self.backbone(inputs, training=training, **options)
        return respond({"logits": self.head(outputs["last_hidden_state"])[..., 0]}, outputs)

    def default_loss(self):
        return TokenBinaryCrossEntropy()

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y, mask = self._by_output(y), x.get("attention_mask")
        if mask is not None and isinstance(self.loss, TokenBinaryCrossEntropy):
            y = ops.where(ops.equal(mask, 1), y, IGNORED)  # padding is nothing to learn
        return super().compute_loss(x, y, y_pred, sample_weight, training)


class ElectraForMaskedLM(MaskedLanguageModeling):
    """The generator."""

    backbone_class = ElectraModel
    head_class = GeluWordPrediction


class ElectraForCausalLM(CausalLanguageModeling):
    backbone_class = ElectraModel
    head_class = GeluWordPrediction


class ElectraForSequenceClassification(FirstTokenClassification):
    backbone_class = ElectraModel
    act = "gelu"


class ElectraForMultipleChoice(MultipleChoice):
    """Scores each of several texts, from a summary as the `summary_*` fields say: (B, choices)."""

    backbone_class = ElectraModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.summarize = SequenceSummary(self.config)

    def dropout_rate(self):
        return 0.0  # the summary drops out

    def logits(self, outputs, training):
        return self.head(self.summarize(outputs["last_hidden_state"]))


class ElectraForTokenClassification(TokenClassification):
    backbone_class = ElectraModel


class ElectraForQuestionAnswering(QuestionAnswering):
    backbone_class = ElectraModel

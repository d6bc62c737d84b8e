"""DPR: two BERTs put questions and passages where their vectors meet, a third reads the answer (arXiv:2004.04906).

Shapes: B batch (for the reader, the passages found for one question), T tokens, D width.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Dense, Identity

from keras_tfm.layers.config import Config
from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import QuestionAnswering, respond
from keras_tfm.training.losses import BatchCrossEntropy


@dataclass(kw_only=True)
class DPRConfig(Config):
    model_type = "dpr"

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
    projection_dim: int = 0
    position_embedding_type: str = "absolute"


class DPRQuestionEncoder(TextEncoder):
    """Encodes questions: pooler_output is the first token's last hidden state, projected if `projection_dim` says so.

    Without an attention_mask, tokens that are padding are left out.
    """

    config_class = DPRConfig
    optional = ("inputs_embeds",)

    def make_pooler(self):
        return Dense(self.config.projection_dim) if self.config.projection_dim else Identity()

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> last_hidden_state (B, T, D), pooler_output (B, D), and what else is asked for."""
        if inputs.get("attention_mask") is None and inputs.get("input_ids") is not None:
            inputs = inputs | {"attention_mask": ops.not_equal(inputs["input_ids"], self.config.pad_token_id)}
        return super().call(inputs, training=training, **options)


class DPRContextEncoder(DPRQuestionEncoder):
    """Encodes passages, in pairs of title and text, as `DPRQuestionEncoder` does questions."""


class _DPRPassageEncoder(TextEncoder):
    config_class = DPRConfig
    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask")}
    optional = ("inputs_embeds",)


class DPRReader(QuestionAnswering):
    """Reads the passages found for a question: where the answer starts and ends, and which of them has it.

    To `fit`, a batch is the passages of one question; the labels are start_positions and end_positions, behind the
    last token where there is no answer, and relevance, 1 for the passage that has it, else 0.
    """

    backbone_class = _DPRPassageEncoder
    labels = QuestionAnswering.labels | {"relevance": "relevance_logits"}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.relevance = Dense(1)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> start_logits and end_logits, (B, T) each, and relevance_logits (B,)."""
        outputs = self.backbone(inputs, training=training, **options)
        x = outputs["last_hidden_state"]
        scores = self.head(x)
        predictions = {"start_logits": scores[..., 0], "end_logits": scores[..., 1]}
        return respond(predictions | {"relevance_logits": self.relevance(x[:, 0])[:, 0]}, outputs)

    def default_loss(self):
        return super().default_loss() | {"relevance_logits": BatchCrossEntropy()}

"""RoFormer: BERT whose attention rotates queries and keys by their positions (arXiv:2104.09864).

Shapes: B batch, T new tokens, D width, C channels a head, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Embedding

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import check_length
from keras_tfm.layers.encoder import EncoderBlock, TextEncoder, positions_of
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    ClassificationHead,
    FirstTokenClassification,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    TokenClassification,
)
from keras_tfm.layers.positions import SinesThenCosines, rotate_pairs


@dataclass(kw_only=True)
class RoFormerConfig(Config):
    model_type = "roformer"

    vocab_size: int = 50000
    embedding_size: int | None = None  # of the word embeddings; None for hidden_size
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 1536
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    initializer_range: float = 0.02
    pad_token_id: int | None = 0
    rotary_value: bool = False  # whether values are rotated, too
    use_cache: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.embedding_size = self.embedding_size or self.hidden_size


class RotaryPairs(Attention):
    """Attention that rotates neighbouring channels; `rotates_value` says whether the values' as well."""

    rotate = staticmethod(rotate_pairs)

    def __init__(self, *args, rotates_value, **kwargs):
        super().__init__(*args, **kwargs)
        self.rotates_value = rotates_value


class RoFormerModel(TextEncoder):
    """The encoder, or with `is_decoder` a causal decoder; positions are rotations, which checkpoints store as a table.

    Has no pooler.
    """

    config_class = RoFormerConfig
    has_pooler = False
    optional = ("position_ids", "inputs_embeds", "encoder_hidden_states", "encoder_attention_mask")

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        self.waves = Embedding(
            c.max_position_embeddings, c.hidden_size // c.num_attention_heads, SinesThenCosines(), trainable=False
        )

    def make_embeddings(self):
        c = self.config
        project = c.hidden_size if c.embedding_size != c.hidden_size else None
        return super().make_embeddings(width=c.embedding_size, positions=None, project=project)

    def make_block(self):
        c = self.config
        sizes = {"width": c.hidden_size, "heads": c.num_attention_heads, "dropout": c.attention_probs_dropout_prob}
        return EncoderBlock(c, RotaryPairs(**sizes, rotates_value=c.rotary_value))

    def make_pooler(self):
        return None

    def relations(self, inputs, x, cache, start):
        positions = inputs.get("position_ids")
        if positions is None:
            check_length(start + ops.shape(x)[1], self.room)
            positions = positions_of(x, start)
        waves = self.waves(positions)[:, :, None]  # (1 or B, T, 1, C)
        sin, cos = ops.split(waves, 2, axis=-1)
        return {"rope": (cos, sin)}

    @property
    def room(self):
        return self.waves.input_dim


class RoFormerForMaskedLM(MaskedLanguageModeling):
    backbone_class = RoFormerModel


class RoFormerForCausalLM(CausalLanguageModeling):
    backbone_class = RoFormerModel


class RoFormerForSequenceClassification(FirstTokenClassification):
    """Classifies the whole text, from its first token: logits (B, labels); the head has the encoder's activation."""

    backbone_class = RoFormerModel

    def make_head(self):
        c = self.config
        return ClassificationHead(c.hidden_size, c.num_labels, c.hidden_act, c.hidden_dropout_prob)


class RoFormerForMultipleChoice(MultipleChoice):
    """Scores each of several texts by its last token: inputs (B, choices, T) -> logits (B, choices)."""

    backbone_class = RoFormerModel

    def logits(self, outputs, training):
        return self.head(outputs["last_hidden_state"][:, -1])


class RoFormerForTokenClassification(TokenClassification):
    backbone_class = RoFormerModel


class RoFormerForQuestionAnswering(QuestionAnswering):
    backbone_class = RoFormerModel

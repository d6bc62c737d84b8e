"""ESM: a pre-norm encoder of proteins, one token an amino acid (ESM-1b, doi:10.1073/pnas.2016239118; ESM-2,
doi:10.1126/science.ade2574).

Shapes: B batch, T tokens, D width, L blocks, H heads, C channels a head, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Dense, Dropout, Identity, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import CountedTextEmbeddings, RelativeKeyAttention
from keras_tfm.layers.encoder import TextEncoder, positions_of, self_attention
from keras_tfm.layers.heads import (
    FirstTokenClassification,
    GeluWordPrediction,
    MaskedLanguageModeling,
    TokenClassification,
)
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import Formula


@dataclass(kw_only=True)
class EsmConfig(Config):
    model_type = "esm"

    vocab_size: int | None = None
    mask_token_id: int | None = None
    pad_token_id: int | None = None
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 1026
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    position_embedding_type: str = "absolute"  # or rotary (ESM-2), relative_key, relative_key_query
    use_cache: bool = True
    emb_layer_norm_before: bool | None = None
    token_dropout: bool = False
    is_folding_model: bool = False
    esmfold_config: dict | None = None
    vocab_list: list | None = None


class EsmEmbeddings(CountedTextEmbeddings):
    """Words and counted positions, normalised where there is a `norm`; padding's embeddings are zero.

    Args:
        mask_token: with token dropout, the id of the mask token: masked words count as dropped out, and the rest is
            scaled as if as many were masked as in pretraining. Default: no token dropout.
    """

    masked_in_training = 0.15 * 0.8  # 15 % of the words were to be predicted, 80 % of these were masked

    def __init__(self, *args, mask_token=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.mask_token = mask_token

    def words(self, inputs):
        x = super().words(inputs)
        if self.mask_token is None or inputs.get("input_ids") is None:
            return x
        masked = ops.equal(inputs["input_ids"], self.mask_token)
        mask = inputs.get("attention_mask")
        real = ops.ones_like(inputs["input_ids"]) if mask is None else mask
        ratio = ops.sum(ops.cast(masked, "float32"), 1) / ops.sum(ops.cast(real, "float32"), 1)
        scale = (1 - self.masked_in_training) / (1 - ratio)[:, None, None]
        return ops.where(masked[:, :, None], 0, x * ops.cast(scale, x.dtype))

    def call(self, inputs, start=0, training=None):
        """inputs (B, T) -> (B, T, D)."""
        x = super().call(inputs, start=start, training=training)
        mask = inputs.get("attention_mask")
        return x if mask is None else x * ops.cast(mask, x.dtype)[:, :, None]


class Rotation(Layer):
    """Rotary positions whose frequencies are part of the checkpoint: positions (1, T) -> 2 x (1, T, 1, C / 2)."""

    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.inv_freq_initializer = Frequencies()

    def build(self, positions_shape):
        shape, initializer = (self.channels // 2,), self.inv_freq_initializer
        self.inv_freq = self.add_weight(shape, initializer, "float32", trainable=False, autocast=False, name="inv_freq")

    def call(self, positions):
        angles = ops.cast(positions, "float32")[:, :, None, None] * self.inv_freq
        return ops.cos(angles), ops.sin(angles)


class Frequencies(Formula):
    """From 1 down to almost 1 / 10000, in equal ratios."""

    def __call__(self, shape, dtype=None):
        return ops.power(10000.0, -ops.arange(shape[0], dtype=dtype) / shape[0])


class EsmRelativeAttention(RelativeKeyAttention):
    """As its parent, except that the scale applies to queries: products of distance and key go without."""

    def score_bias(self, query, key, start):
        return super().score_bias(query, key / self.scale, start)


class EsmBlock(Layer):
    """Attention and MLP, each on normalised input and added to it."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.attention_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.rotation = None
        if c.position_embedding_type == "rotary":
            self.attention = Attention(c.hidden_size, c.num_attention_heads, dropout=c.attention_probs_dropout_prob)
            self.rotation = Rotation(self.attention.channels)
        else:
            self.attention = self_attention(c, EsmRelativeAttention)
        self.mlp_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.mlp = MLP(c.hidden_size, c.intermediate_size)
        self.dropout = Dropout(c.hidden_dropout_prob)

    def call(self, x, attend=None, start=0, weights=False, **for_decoders):
        """x (B, T, D), attend (B, 1, T, T) -> (B, T, D), no cache, {name: weights (B, H, T, T)}."""
        rope = None if self.rotation is None else self.rotation(positions_of(x, start))
        y, _, seen = self.attention(self.attention_norm(x), attend=attend, rope=rope, weights=weights)
        x = x + self.dropout(y)
        return x + self.dropout(self.mlp(self.mlp_norm(x))), None, {"attentions": seen}


class ContactHead(Layer):
    """Which amino acids touch: a logistic regression on all attention weights, corrected for what each row and column
    has in common (average product correction, doi:10.1093/bioinformatics/btm604).

    Args:
        features: L * H.
    """

    eos_token = 2

    def __init__(self, features, **kwargs):
        super().__init__(**kwargs)
        self.features = features
        self.regression = Dense(1, activation="sigmoid", trainable=False)  # no loss of the models depends on it

    def build(self, *shapes):
        self.regression.build((None, None, None, self.features))

    def call(self, attentions, input_ids, attention_mask=None):
        """attentions L x (B, H, T, T), input_ids and attention_mask (B, T) -> probabilities (B, T - 2, T - 2)."""
        real = ops.not_equal(input_ids, self.eos_token)
        if attention_mask is not None:
            real = ops.logical_and(real, ops.cast(attention_mask, "bool"))
        x = ops.concatenate(attentions, axis=1)
        real = ops.cast(real, x.dtype)
        x = (x * real[:, None, :, None] * real[:, None, None, :])[..., 1:-1, 1:-1]  # without begin and end
        x = x + ops.swapaxes(x, -1, -2)
        rows, columns = ops.sum(x, axis=-1, keepdims=True), ops.sum(x, axis=-2, keepdims=True)
        x = x - rows * columns / ops.sum(rows, axis=-2, keepdims=True)
        return self.regression(ops.transpose(x, (0, 2, 3, 1)))[..., 0]


class EsmModel(TextEncoder):
    """The encoder, with a tanh layer (`pooler`) on the first token, and with `predict_contacts`.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D) and, where wanted, attention_mask (B, T) and
    position_ids. It returns a dict of last_hidden_state (B, T, D) and pooler_output (B, D).

    Raises:
        ValueError: a field without a default is missing, or `is_decoder` is set.
    """

    config_class = EsmConfig
    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask")}
    optional = ("position_ids", "inputs_embeds")

    def __init__(self, config, pooler=True, **kwargs):
        super().__init__(config, pooler, **kwargs)
        c = self.config
        self.norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.contact_head = ContactHead(c.num_hidden_layers * c.num_attention_heads)

    def make_embeddings(self):
        c = self.config
        needed = ["vocab_size", "pad_token_id"] + ["mask_token_id"] * c.token_dropout
        if missing := [name for name in needed if getattr(c, name) is None]:
            raise ValueError(
                f"EsmConfig has no default for {', '.join(missing)}: give vocab_size, pad_token_id and mask_token_id"
                " (ESM-2: 33, 1, 32)"
            )
        return super().make_embeddings(
            EsmEmbeddings,
            dropout=0.0,
            norm=None if c.emb_layer_norm_before else Identity(),
            padding=c.pad_token_id,
            mask_token=c.mask_token_id if c.token_dropout else None,
        )

    def make_block(self):
        return EsmBlock(self.config)

    def run(self, x, *args, **options):
        if not self.contact_head.built:  # `call` has no use for it, but every checkpoint has it
            self.contact_head.build()
        x, states = super().run(x, *args, **options)
        x = self.norm(x)
        if "hidden_states" in states:
            states["hidden_states"] = (*states["hidden_states"][:-1], x)
        return x, states

    @property
    def room(self):
        return None if self.config.position_embedding_type == "rotary" else super().room

    def predict_contacts(self, inputs):
        """inputs as for `call`, with input_ids (B, T) -> the probabilities that two tokens touch, (B, T - 2, T - 2).

        The first and the last column of input_ids, where begin and end are, count for nothing.
        """
        attentions = self(inputs, output_attentions=True)["attentions"]
        return self.contact_head(attentions, inputs["input_ids"], inputs.get("attention_mask"))


class EsmForMaskedLM(MaskedLanguageModeling):
    backbone_class = EsmModel
    head_class = GeluWordPrediction

    def predict_contacts(self, inputs):
        """See `EsmModel.predict_contacts`."""
        return self.backbone.predict_contacts(inputs)


class EsmForSequenceClassification(FirstTokenClassification):
    backbone_class = EsmModel


class EsmForTokenClassification(TokenClassification):
    backbone_class = EsmModel

"""GPT-2: a decoder with learned positions that predicts the next word ("Language Models are Unsupervised Multitask
Learners", Radford et al. 2019).

Shapes: B batch, T new tokens, S keys, D width, H heads, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Dropout, Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, LastTokenClassification, NextWordPrediction
from keras_tfm.layers.heads import QuestionAnswering, SequenceSummary, TokenClassification, respond
from keras_tfm.layers.mlp import MLP
from keras_tfm.training.losses import TokenCrossEntropy


@dataclass(kw_only=True)
class GPT2Config(Config):
    model_type = "gpt2"
    synonyms = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    summary_type: str = "cls_index"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1
    scale_attn_weights: bool = True
    use_cache: bool = True
    bos_token_id: int | None = 50256
    eos_token_id: int | list | None = 50256
    scale_attn_by_inverse_layer_idx: bool = False
    reorder_and_upcast_attn: bool = False  # an order of the same products, for float16


class GPT2Embeddings(Layer):
    """The sum of the embeddings of words, positions and, where given, token types, which are words, too."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.word = Embedding(c.vocab_size, c.hidden_size)
        self.position = Embedding(c.n_positions, c.hidden_size)
        self.dropout = Dropout(c.embd_pdrop)

    def call(self, inputs, positions, training=None):
        """inputs (B, T), positions (B or 1, T) -> (B, T, D)."""
        given = inputs.get("inputs_embeds")
        x = self.word(inputs["input_ids"]) if given is None else given
        if inputs.get("token_type_ids") is not None:
            x = x + self.word(inputs["token_type_ids"])
        return self.dropout(x + self.position(positions), training=training)


class GPT2Model(CausalDecoder):
    """As `CausalDecoder`; it also takes token_type_ids (B, T) and, with `add_cross_attention`, encoder_hidden_states
    (B, S, D) and encoder_attention_mask (B, S)."""

    config_class = GPT2Config
    optional = (*CausalDecoder.optional, "token_type_ids", "encoder_hidden_states", "encoder_attention_mask")

    def make_embeddings(self):
        return GPT2Embeddings(self.config)

    def make_block(self, index):
        c, cross = self.config, {}
        if c.add_cross_attention:
            cross = {"cross_attention": self.make_attention(index), "cross_attention_norm": self.make_norm()}
        mlp = MLP(c.hidden_size, c.n_inner or 4 * c.hidden_size, c.activation_function)
        norms = {"attention_norm": self.make_norm(), "mlp_norm": self.make_norm()}
        return PreNormBlock(self.make_attention(index), mlp, **norms, dropout=c.resid_pdrop, **cross)

    def make_attention(self, index):
        c = self.config
        scale = (c.hidden_size // c.num_attention_heads) ** -0.5 if c.scale_attn_weights else 1.0
        if c.scale_attn_by_inverse_layer_idx:
            scale = scale / (index + 1)
        return Attention(c.hidden_size, c.num_attention_heads, dropout=c.attn_pdrop, scale=scale)

    def make_norm(self):
        return LayerNormalization(epsilon=self.config.layer_norm_epsilon)

    def embed(self, inputs, positions, training=None):
        return self.embeddings(inputs, positions, training=training)

    @property
    def word_table(self):
        return self.embeddings.word

    @property
    def room(self):
        return self.config.n_positions


class GPT2LMHeadModel(NextWordPrediction):
    backbone_class = GPT2Model


class GPT2DoubleHeadsModel(NextWordPrediction):
    """Scores each of several texts, and in each the next words.

    Takes inputs (B, choices, T) and, where wanted, mc_token_ids (B, choices), the token that stands for each text (by
    default the last). Returns logits (B, choices, T, V) and mc_logits (B, choices).
    """

    backbone_class = GPT2Model
    optional = (*GPT2Model.optional, "mc_token_ids")
    labels = {"labels": "logits", "mc_labels": "mc_logits"}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.summarize = SequenceSummary(self.config, labels=1)

    def signature(self):
        return {name: ((None, *shape), dtype) for name, (shape, dtype) in super().signature().items()}

    def call(self, inputs, training=None, **options):
        """inputs (B, choices, T) -> logits (B, choices, T, V), mc_logits (B, choices)."""
        index = inputs.get("mc_token_ids")
        texts = {name: x for name, x in inputs.items() if name != "mc_token_ids"}
        choices = ops.shape(next(iter(texts.values())))[1]
        flat = {name: ops.reshape(x, (-1, *ops.shape(x)[2:])) for name, x in texts.items()}
        outputs = self.backbone(flat, training=training, **options)
        x = outputs["last_hidden_state"]  # (B * choices, T, D)
        scores = self.head(x, self.words())
        index = None if index is None else ops.reshape(index, (-1,))
        predictions = {
            "logits": ops.reshape(scores, (-1, choices, *ops.shape(scores)[1:])),
            "mc_logits": ops.reshape(self.summarize(x, index), (-1, choices)),
        }
        return respond(predictions, outputs)

    def default_loss(self):
        return {"logits": TokenCrossEntropy(shift=True), "mc_logits": TokenCrossEntropy()}


class GPT2ForSequenceClassification(LastTokenClassification):
    backbone_class = GPT2Model


class GPT2ForTokenClassification(TokenClassification):
    backbone_class = GPT2Model

    def dropout_rate(self):
        c = self.config  # in GPT-2's it is no field, and yet heeded
        rate = getattr(c, "classifier_dropout", c.extra.get("classifier_dropout"))
        return 0.1 if rate is None else rate


class GPT2ForQuestionAnswering(QuestionAnswering):
    backbone_class = GPT2Model

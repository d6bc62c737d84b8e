"""BERT: a post-norm encoder with learned positions, pretrained by filling in masked words (arXiv:1810.04805).

Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads, C channels a head, V words.
"""

from dataclasses import dataclass

from keras.layers import Dense, Dropout, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer, Model, run_blocks
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import RelativeKeyAttention, TextEmbeddings
from keras_tfm.layers.heads import (
    CausalLanguageModeling,
    Head,
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
    respond,
)
from keras_tfm.layers.masks import decoder_mask, length, padding_mask
from keras_tfm.layers.mlp import MLP
from keras_tfm.training.losses import TokenCrossEntropy


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


def bert_attention(c, relative=True):
    """The attention that `position_embedding_type` asks for; attention to an encoder never has relative positions."""
    kind = c.position_embedding_type if relative else "absolute"
    sizes = {"width": c.hidden_size, "heads": c.num_attention_heads, "dropout": c.attention_probs_dropout_prob}
    if kind in ("relative_key", "relative_key_query"):
        return RelativeKeyAttention(**sizes, positions=c.max_position_embeddings, with_key=kind == "relative_key_query")
    return Attention(**sizes)


class BertBlock(Layer):
    """Attention, attention to an encoder if there is one, and an MLP; each is added to its input and normalised."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.attention = bert_attention(c)
        self.attention_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.cross_attention = bert_attention(c, relative=False) if c.add_cross_attention else None
        self.cross_attention_norm = LayerNormalization(epsilon=c.layer_norm_eps) if c.add_cross_attention else None
        self.mlp = MLP(c.hidden_size, c.intermediate_size, c.hidden_act)
        self.mlp_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.dropout = Dropout(c.hidden_dropout_prob)

    def call(self, x, attend=None, context=None, attend_context=None, cache=None, start=0, weights=False):
        """x (B, T, D), attend (B, 1, T, S), context (B, S, D) -> (B, T, D), cache, {name: weights (B, H, T, S)}."""
        y, cache, seen = self.attention(x, attend=attend, cache=cache, start=start, weights=weights)
        x = self.attention_norm(x + self.dropout(y))
        seen = {"attentions": seen}
        if context is not None:
            y, _, cross = self.cross_attention(x, context=context, attend=attend_context, weights=weights)
            x = self.cross_attention_norm(x + self.dropout(y))
            seen["cross_attentions"] = cross
        return self.mlp_norm(x + self.dropout(self.mlp(x))), cache, seen


class BertModel(Model):
    """The encoder, or with `is_decoder` a causal decoder, with a tanh layer (`pooler`) on the first token.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D) and, where wanted, attention_mask (B, T),
    token_type_ids, position_ids; a decoder with `add_cross_attention` also takes encoder_hidden_states (B, S, D) and
    encoder_attention_mask (B, S). It returns a dict of last_hidden_state (B, T, D) and pooler_output (B, D).

    Args:
        config: a BertConfig or a dict of its fields.
        pooler: whether to have the pooler. Default True.
    """

    config_class = BertConfig
    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask", "token_type_ids")}
    optional = ("position_ids", "inputs_embeds", "encoder_hidden_states", "encoder_attention_mask")

    def __init__(self, config, pooler=True, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        if c.position_embedding_type not in ("absolute", "relative_key", "relative_key_query"):
            raise ValueError(f"unknown position_embedding_type {c.position_embedding_type!r}")
        if c.add_cross_attention and not c.is_decoder:
            raise ValueError("add_cross_attention=True needs is_decoder=True")
        self.embeddings = self.make_embeddings()
        self.blocks = [BertBlock(c) for _ in range(c.num_hidden_layers)]
        self.pooler = Dense(c.hidden_size, activation="tanh") if pooler else None

    def make_embeddings(self, cls=TextEmbeddings, **options):
        """The embeddings; a variant names its own class and what that takes besides."""
        c = self.config
        return cls(
            c.vocab_size,
            c.hidden_size,
            positions=c.max_position_embeddings,
            types=c.type_vocab_size,
            add_positions=c.position_embedding_type == "absolute",
            epsilon=c.layer_norm_eps,
            dropout=c.hidden_dropout_prob,
            **options,
        )

    def signature(self):
        if not self.config.add_cross_attention:
            return self.served
        encoder = {"encoder_hidden_states": ((None, None, self.config.hidden_size), "float32")}
        return self.served | encoder | {"encoder_attention_mask": ((None, None), "int32")}

    def get_config(self):
        return super().get_config() | {"pooler": self.pooler is not None}

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens: for each block 2 x (B, S, H, C)."""
        return tuple(block.attention.new_cache(batch, length) for block in self.blocks)

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state (B, T, D), pooler_output (B, D), and what else is asked for.

        Args:
            cache: from `new_cache` or the last call's past_key_values; the new one comes back as past_key_values.
            start: the position of the first token, an int or a scalar tensor.
            output_hidden_states, output_attentions: whether to return them. Default: as the configuration says.
        """
        mask, context = inputs.get("attention_mask"), inputs.get("encoder_hidden_states")
        if context is not None and not self.config.add_cross_attention:
            raise ValueError("encoder_hidden_states need a model with add_cross_attention=True and is_decoder=True")
        x, states = run_blocks(
            self.blocks,
            self.embeddings(inputs, start=start),
            self.config,
            cache,
            output_hidden_states,
            output_attentions,
            attend=decoder_mask(mask, length(inputs), cache, start) if self.config.is_decoder else padding_mask(mask),
            context=context,
            attend_context=padding_mask(inputs.get("encoder_attention_mask")),
            start=start,
        )
        outputs = {"last_hidden_state": x}
        if self.pooler is not None:
            outputs["pooler_output"] = self.pooler(x[:, 0])
        return outputs | states


class BertForMaskedLM(MaskedLanguageModeling):
    backbone_class = BertModel


class BertLMHeadModel(CausalLanguageModeling):
    backbone_class = BertModel


class BertForPreTraining(MaskedLanguageModeling):
    """Masked words (prediction_logits, (B, T, V)) and whether B follows A (seq_relationship_logits, (B, 2))."""

    backbone_class = BertModel
    pooler = True
    labels = {"labels": "prediction_logits", "next_sentence_label": "seq_relationship_logits"}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.next_sentence = Dense(2)

    def call(self, inputs, training=None, **options):
        outputs = self.backbone(inputs, training=training, **options)
        words = self.head(outputs["last_hidden_state"], self.words())
        follows = self.next_sentence(outputs["pooler_output"])
        return respond({"prediction_logits": words, "seq_relationship_logits": follows}, outputs)

    def default_loss(self):
        return {"prediction_logits": TokenCrossEntropy(), "seq_relationship_logits": TokenCrossEntropy()}


class BertForNextSentencePrediction(Head):
    """Whether the second text follows the first: logits (B, 2), class 0 if it does."""

    backbone_class = BertModel

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = Dense(2)

    def call(self, inputs, training=None, **options):
        outputs = self.backbone(inputs, training=training, **options)
        return respond({"logits": self.head(outputs["pooler_output"])}, outputs)

    def default_loss(self):
        return TokenCrossEntropy()


class BertForSequenceClassification(SequenceClassification):
    backbone_class = BertModel


class BertForMultipleChoice(MultipleChoice):
    backbone_class = BertModel


class BertForTokenClassification(TokenClassification):
    backbone_class = BertModel


class BertForQuestionAnswering(QuestionAnswering):
    backbone_class = BertModel

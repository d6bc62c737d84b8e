"""T5: an encoder-decoder that turns one text into another, with biases by distance for positions (arXiv:1910.10683).

Shapes: B batch, S tokens of the encoder, T new tokens of the decoder, D width, H heads, C channels a head, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Embedding, RMSNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Normal
from keras_tfm.layers.blocks import PreNormBlock
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder
from keras_tfm.layers.heads import TokenClassification
from keras_tfm.layers.masks import length
from keras_tfm.layers.mlp import MLP, GatedMLP
from keras_tfm.layers.positions import RelativeBias, key_places
from keras_tfm.layers.seq2seq import ConditionalGeneration, DecoderQuestionAnswering, LastEndClassification, Seq2Seq
from keras_tfm.layers.stack import Stack


@dataclass(kw_only=True)
class T5Config(Config):
    model_type = "t5"
    synonyms = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "hidden_dropout_prob": "dropout_rate",
    }

    vocab_size: int = 32128
    d_model: int = 512
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 6
    num_decoder_layers: int | None = None
    num_heads: int = 8
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    initializer_factor: float = 1.0
    feed_forward_proj: str = "relu"
    is_encoder_decoder: bool = True
    use_cache: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list | None = 1
    decoder_start_token_id: int | None = None
    classifier_dropout: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        *gated, _ = self.feed_forward_proj.split("-")
        if gated not in ([], ["gated"]):
            raise ValueError(
                f"feed_forward_proj names an activation, or is gated-activation, not {self.feed_forward_proj!r}"
            )

    @property
    def is_gated_act(self):
        return self.feed_forward_proj.startswith("gated-")

    @property
    def dense_act_fn(self):
        name = self.feed_forward_proj.removeprefix("gated-")
        return "gelu_new" if name == "gelu" and self.is_gated_act else name


class _T5Half(Stack):
    """What encoder and decoder do alike."""

    bidirectional = True
    shares_biases = True  # whether all blocks have the same biases by distance

    def __init__(self, config, words=None, **kwargs):
        super().__init__(config, words, **kwargs)
        self.relative = self.make_relative() if self.shares_biases else None

    def make_embeddings(self, words=None):
        c = self.config
        return words or Embedding(c.vocab_size, c.d_model, Normal(stddev=c.initializer_factor))

    def make_relative(self):
        """The biases by distance."""
        c = self.config
        relative = RelativeBias(
            c.relative_attention_num_buckets, c.num_heads, c.relative_attention_max_distance, self.bidirectional
        )
        drawn(c.initializer_factor * c.d_model**-0.5, relative.table)
        return relative

    def make_attention(self, cls=Attention, **options):
        c = self.config
        sizes = {"width": c.d_model, "heads": c.num_heads, "channels": c.d_kv}
        attention = cls(**sizes, bias=False, scale=1.0, dropout=c.dropout_rate, **options)
        f, width = c.initializer_factor, c.d_model
        drawn(f * (width * c.d_kv) ** -0.5, attention.query)
        drawn(f * width**-0.5, attention.key, attention.value)
        drawn(f * (c.num_heads * c.d_kv) ** -0.5, attention.project)
        return attention

    def make_self_attention(self):
        return self.make_attention()

    def make_block(self, index, **cross):
        c = self.config
        mlp = (GatedMLP if c.is_gated_act else MLP)(c.d_model, c.d_ff, c.dense_act_fn, False, dropout=c.dropout_rate)
        drawn(c.initializer_factor * c.d_model**-0.5, mlp.up, *([mlp.gate] if c.is_gated_act else []))
        drawn(c.initializer_factor * c.d_ff**-0.5, mlp.down)
        return PreNormBlock(
            self.make_self_attention(), mlp, self.make_norm(), self.make_norm(), dropout=c.dropout_rate, **cross
        )

    def make_norm(self):
        return RMSNormalization(epsilon=self.config.layer_norm_epsilon)

    def dropout_rate(self):
        return self.config.dropout_rate

    def finish(self, x):
        return self.dropout(super().finish(x))

    def relations(self, inputs, positions, cache):
        if self.relative is None:
            return super().relations(inputs, positions, cache)
        keys = ops.shape(key_places(inputs, cache))[0]
        bias = self.relative(tokens=length(inputs), keys=keys, start=positions[0, 0])
        return super().relations(inputs, positions, cache) | {"bias": bias}


def drawn(deviation, *layers):
    """Has the weights of these layers drawn with a standard deviation, at first."""
    for layer in layers:
        for name in ("kernel_initializer", "embeddings_initializer"):
            if hasattr(layer, name):
                setattr(layer, name, Normal(stddev=deviation))


class T5EncoderModel(_T5Half):
    """The encoder alone. Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D) and, where wanted,
    attention_mask (B, T). It returns a dict of last_hidden_state (B, T, D)."""

    config_class = T5Config
    optional = ("inputs_embeds",)


class T5Decoder(_T5Half, CausalDecoder):
    config_class = T5Config
    optional = ("inputs_embeds", "encoder_hidden_states", "encoder_attention_mask")
    bidirectional = False
    has_cross_attention = True

    @property
    def depth(self):
        return self.config.num_decoder_layers

    def make_block(self, index):
        return super().make_block(index, cross_attention=self.make_attention(), cross_attention_norm=self.make_norm())


class T5Model(Seq2Seq):
    encoder_class = T5EncoderModel
    decoder_class = T5Decoder


class T5ForConditionalGeneration(ConditionalGeneration):
    backbone_class = T5Model

    def make_head(self):
        head = super().make_head()
        drawn(self.config.initializer_factor, head)
        return head

    def scores(self, x):
        """x (B, T, D) -> (B, T, V). Words that are also looked up are large, and their scores are scaled."""
        return super().scores(x * self.config.d_model**-0.5 if self.config.tie_word_embeddings else x)


class T5ForSequenceClassification(LastEndClassification):
    backbone_class = T5Model


class T5ForTokenClassification(TokenClassification):
    backbone_class = T5EncoderModel


class T5ForQuestionAnswering(DecoderQuestionAnswering):
    backbone_class = T5Model

"""The two halves of BART's family, as fairseq built them: an encoder, and a decoder that looks at it.

They read the configuration by BART's names of the fields; one that calls them otherwise has `synonyms`.
Shapes: B batch, T new tokens, S tokens of the encoder, D width, V words.
"""

from keras import ops
from keras.layers import Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.blocks import PostNormBlock, PreNormBlock
from keras_tfm.layers.decoder import CausalDecoder, NextWordPrediction
from keras_tfm.layers.embeddings import check_length
from keras_tfm.layers.heads import VocabularyHead
from keras_tfm.layers.masks import length
from keras_tfm.layers.mlp import MLP
from keras_tfm.layers.positions import FairseqWaves, SinesThenCosines
from keras_tfm.layers.stack import Stack


class PlacedWords(Layer):
    """The sum of word embeddings, which may be scaled, and of those of their positions, normalised if so wanted.

    Args:
        word: the table of words.
        position: the table of positions.
        norm: what normalises the sum. Default: nothing.
        scale: of the words.
        unused_rows: how many rows of the position table come before that of the first position.
    """

    def __init__(self, word, position, norm=None, scale=1.0, unused_rows=0, **kwargs):
        super().__init__(**kwargs)
        self.word, self.position, self.norm = word, position, norm
        self.scale, self.unused_rows = scale, unused_rows

    @property
    def room(self):
        """How many tokens the position table has rows for."""
        return self.position.input_dim - self.unused_rows

    def call(self, inputs, positions):
        """input_ids (B, T) or inputs_embeds (B, T, D), and positions (B or 1, T) -> (B, T, D)."""
        given = inputs.get("inputs_embeds")
        x = self.word(inputs["input_ids"]) * self.scale if given is None else given
        x = x + self.position(positions + self.unused_rows)
        return x if self.norm is None else self.norm(x)


class _Half:
    """What both halves do alike. A variant says what differs by these and by the methods of `Stack`."""

    side = None  # the beginning of the names of its fields
    block_class = PostNormBlock
    embedding_norm = True  # whether the embeddings are normalised
    last_norm = False  # whether there is a norm behind the last block
    unused_rows = 2  # of the position table
    waves = None  # what computes that table, where it is not learnt

    def own(self, field):
        """What the configuration says of this half."""
        return getattr(self.config, f"{self.side}_{field}")

    @property
    def depth(self):
        return self.own("layers")

    def make_embeddings(self, words=None):
        c = self.config
        return PlacedWords(
            words or Embedding(self.vocabulary, c.d_model),
            self.make_positions(),
            LayerNormalization(epsilon=1e-5) if self.embedding_norm else None,
            c.d_model**0.5 if c.scale_embedding else 1.0,
            self.unused_rows,
        )

    @property
    def word_table(self):
        return self.embeddings.word

    def make_positions(self):
        fixed = {} if self.waves is None else {"embeddings_initializer": self.waves(), "trainable": False}
        return Embedding(self.config.max_position_embeddings + self.unused_rows, self.config.d_model, **fixed)

    def make_attention(self, index):
        return Attention(self.config.d_model, self.own("attention_heads"), dropout=self.config.attention_dropout)

    def make_block(self, index, **cross):
        c = self.config
        mlp = MLP(c.d_model, self.own("ffn_dim"), c.activation_function, dropout=c.activation_dropout)
        norms = [LayerNormalization(epsilon=1e-5) for _ in range(2)]
        return self.block_class(self.make_attention(index), mlp, *norms, dropout=c.dropout, **cross)

    def make_norm(self):
        return LayerNormalization(epsilon=1e-5) if self.last_norm else None

    def dropout_rate(self):
        return self.config.dropout

    @property
    def room(self):
        return self.embeddings.room

    def embed(self, inputs, positions, training=None):
        check_length(length(inputs), self.room)
        return self.embeddings(inputs, positions)


class HalvedWaves:
    """Positions as Marian has them: waves, the sines before the cosines; what is embedded is not normalised."""

    embedding_norm = False
    unused_rows = 0
    waves = SinesThenCosines


class CountedWaves:
    """Positions as fairseq's translators have them: real tokens are counted, padding has none; waves."""

    embedding_norm = False

    @property
    def unused_rows(self):
        return self.config.pad_token_id + 1

    def waves(self):
        return FairseqWaves(self.config.pad_token_id)

    def embed(self, inputs, positions, training=None):
        real = self.real(inputs)
        if real is not None:
            counts = positions[:, :1] + ops.cumsum(ops.cast(real, "int32"), axis=1)
            positions = ops.where(real, counts, 0) - 1
        return super().embed(inputs, positions, training)

    def real(self, inputs):
        """Which tokens (B, T) are not padding, None if that is not known."""
        ids = inputs.get("input_ids")
        return None if ids is None else ops.not_equal(ids, self.config.pad_token_id)


class Encoder(_Half, Stack):
    """As `Stack`; its blocks look at the whole text, but for padding."""

    side = "encoder"
    optional = ("inputs_embeds",)


class Decoder(_Half, CausalDecoder):
    """As `CausalDecoder`; each block can look at an encoder."""

    side = "decoder"
    optional = ("position_ids", "inputs_embeds", "encoder_hidden_states", "encoder_attention_mask")
    has_cross_attention = True

    def make_block(self, index):
        return super().make_block(
            index, cross_attention=self.make_attention(index), cross_attention_norm=LayerNormalization(epsilon=1e-5)
        )

    def signature(self):  # alone it need not look at an encoder
        return self.served

    def building_signature(self):
        return CausalDecoder.signature(self)


class PreNormEncoder(Encoder):
    """Norms before the layers, and one behind the last block."""

    block_class = PreNormBlock
    last_norm = True


class PreNormDecoder(Decoder):
    """Norms before the layers, and one behind the last block."""

    block_class = PreNormBlock
    last_norm = True


class DecoderForCausalLM(NextWordPrediction):
    """Scores the next word at each token: logits (B, T, V). The decoder alone, which may be given an encoder's
    output: encoder_hidden_states (B, S, D) and encoder_attention_mask (B, S)."""

    def make_head(self):
        return VocabularyHead(self.backbone.vocabulary, self.config.tie_word_embeddings, self.bias)

    def building_signature(self):
        return self.backbone.building_signature()

"""Embeddings of text: words, learned positions, token types."""

from keras import ops
from keras.layers import Dense, Dropout, Embedding, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Layer
from keras_tfm.layers.masks import length
from keras_tfm.layers.positions import Unused
from keras_tfm.runtime.tracing import sizes_are_known


def vectors(table):
    """The vectors (V, D) of an `Embedding`, as numbers even where it has been quantized.

    Raises:
        NotImplementedError: quantized in another way than "int8".
    """
    x = ops.convert_to_tensor(table.embeddings)
    if table.quantization_mode is None:
        return x
    if table.quantization_mode != "int8":
        raise NotImplementedError(
            f"word embeddings quantized to {table.quantization_mode} cannot score words: quantize to int8, or leave "
            "them out (the argument `filters` of `quantize`)"
        )
    return ops.cast(x, table.compute_dtype) / table.embeddings_scale[:, None]


class TextEmbeddings(Layer):
    """The sum of word, position and token type embeddings, normalised and, where asked for, projected.

    Args:
        vocabulary, positions, types: the sizes of the tables; without `positions` or `types` (None) there is no such
            table.
        width: of the tables.
        word_width: of the table of words, where `words` brings them to `width`. Default `width`.
        norm: the layer that normalises. Default: a layer normalisation.
        project: D, to which a dense layer brings the embeddings. Default: there is none, and D is `width`.
        add_positions: False to keep the position table unused, for checkpoints whose relative positions replace it.
        epsilon: of the layer normalisation.
        dropout: the rate, in training.
    """

    def __init__(
        self,
        vocabulary,
        width,
        positions=None,
        types=None,
        *,
        word_width=None,
        norm=None,
        project=None,
        add_positions=True,
        epsilon=1e-12,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.add_positions = add_positions
        self.word = Embedding(vocabulary, word_width or width)
        self.position = Embedding(positions, width) if positions else None
        if not add_positions:
            self.position.embeddings_initializer, self.position.trainable = Unused(), False
        self.token_type = Embedding(types, width) if types else None
        self.norm = norm or LayerNormalization(epsilon=epsilon)
        self.dropout = Dropout(dropout)
        self.project = Dense(project) if project else None

    def build(self, inputs_shape):
        if not self.add_positions and not self.position.built:  # `call` would not build it
            self.position.build(None)

    def call(self, inputs, start=0, training=None):
        """input_ids (B, T) or inputs_embeds (B, T, D), token_type_ids and position_ids (B, T) -> (B, T, D).

        Args:
            start: the position of the first token, where `position_ids` are absent.
        """
        tokens = length(inputs)
        x = self.words(inputs)
        if self.token_type is not None:
            types = inputs.get("token_type_ids")
            x = x + self.token_type(ops.zeros((1, tokens), "int32") if types is None else types)
        if self.position is not None and self.add_positions:
            positions = inputs.get("position_ids")
            if positions is None:
                check_length(start + tokens, self.room)
                positions = self.positions(inputs, tokens, start)
            x = x + self.position(positions)
        return self.finish(x, training)

    def finish(self, x, training):
        """The sum of the embeddings -> what the first block sees, (B, T, D)."""
        x = self.dropout(self.norm(x), training=training)
        return x if self.project is None else self.project(x)

    def words(self, inputs):
        """The embeddings (B, T, D) of the words alone."""
        given = inputs.get("inputs_embeds")
        return self.word(inputs["input_ids"]) if given is None else given

    first_position = 0  # of a text

    @property
    def room(self):
        """How many tokens the position table has rows for; None without one."""
        return self.position and self.position.input_dim

    def positions(self, inputs, tokens, start):
        """The position_ids (1 or B, T) where they are not given."""
        return (start + ops.arange(tokens))[None]


class CountedTextEmbeddings(TextEmbeddings):
    """Positions as fairseq has them: real tokens are counted from padding + 1 on, padding is at `padding` itself.

    Args:
        padding: the id of the padding token.
    """

    def __init__(self, *args, padding, **kwargs):
        super().__init__(*args, **kwargs)
        self.padding = padding

    @property
    def first_position(self):
        return self.padding + 1

    @property
    def room(self):
        return self.position.input_dim - self.first_position

    def positions(self, inputs, tokens, start):
        if inputs.get("input_ids") is None:  # what is padding is not known
            return super().positions(inputs, tokens, start) + self.first_position
        real = ops.cast(ops.not_equal(inputs["input_ids"], self.padding), "int32")
        return (ops.cumsum(real, axis=1) + start) * real + self.padding


def check_length(tokens, limit):
    """Raises ValueError where more `tokens` come than the position table has rows (if their number is known)."""
    if sizes_are_known(tokens) and tokens > limit:
        raise ValueError(
            f"{tokens} tokens are more than the position table's {limit} rows: "
            f"shorten the input (tokenizer(.., truncation=True, max_length={limit}))"
        )


class RelativeKeyAttention(Attention):
    """Attention with a learned embedding of the distance between query and key, clipped by the table's size.

    The embedding meets the query (`relative_key`, arXiv:1803.02155) or both query and key (`relative_key_query`,
    arXiv:2009.13658, method 4).

    Args:
        positions: the largest number of positions; the table has 2 * positions - 1 rows.
        with_key: whether the distance meets the key, too.
    """

    def __init__(self, *args, positions, with_key, **kwargs):
        super().__init__(*args, **kwargs)
        self.positions, self.with_key = positions, with_key
        self.distance = Embedding(2 * positions - 1, self.channels)

    def score_bias(self, query, key, start):
        tokens, keys = ops.shape(query)[1], ops.shape(key)[1]
        distances = start + ops.arange(tokens)[:, None] - ops.arange(keys)[None]
        rows = ops.clip(distances + self.positions - 1, 0, 2 * self.positions - 2)
        table = self.distance(rows)  # (T, S, C)
        bias = ops.einsum("bthc,tsc->bhts", query, table)
        if self.with_key:
            bias = bias + ops.einsum("bshc,tsc->bhts", key, table)
        return bias * self.scale

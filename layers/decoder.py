"""Decoders: embeddings, blocks that normalise before they compute, a norm at the end, and the heads on top.

It reads the configuration by BERT's and Llama's names of the fields; one that calls them otherwise has `synonyms`.
Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads, K key/value heads, C channels a head,
V words.
"""

from keras import ops
from keras.layers import Dense, Dropout, Embedding

from keras_tfm.layers.base import Layer, Model, run_blocks
from keras_tfm.layers.experts import MixtureOfExperts
from keras_tfm.layers.heads import CausalLanguageModeling, SequenceClassification, VocabularyHead, respond
from keras_tfm.layers.masks import decoder_mask, length
from keras_tfm.runtime.tracing import sizes_are_known


class PreNormBlock(Layer):
    """Attention and an MLP, each on normalised input and added to it; between them attention to an encoder, if any.

    Args:
        attention, mlp: the two layers. The MLP may be a `MixtureOfExperts`.
        attention_norm, mlp_norm: what normalises their inputs.
        dropout: the rate at which their outputs are dropped in training.
        cross_attention, cross_attention_norm: the layer that looks at an encoder, and its norm.
    """

    def __init__(
        self,
        attention,
        mlp,
        attention_norm,
        mlp_norm,
        dropout=0.0,
        cross_attention=None,
        cross_attention_norm=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.attention_norm, self.attention = attention_norm, attention
        self.cross_attention_norm, self.cross_attention = cross_attention_norm, cross_attention
        self.mlp_norm, self.mlp = mlp_norm, mlp
        self.dropout = Dropout(dropout)

    def call(self, x, attend=None, context=None, attend_context=None, cache=None, start=0, weights=False, **relations):
        """x (B, T, D), attend (B, 1, T, S), context (B, S, D) -> (B, T, D), cache, {name: weights (B, H, T, S)}.

        What the model says of the `relations` between tokens is for the attention, see there. Of a mixture of experts
        the scores (B, T, experts) are returned besides, as router_logits.
        """
        y, cache, seen = self.attention(
            self.attention_norm(x), attend=attend, cache=cache, start=start, weights=weights, **relations
        )
        x = x + self.dropout(y)
        seen = {"attentions": seen}
        if context is not None:
            y, _, cross = self.cross_attention(
                self.cross_attention_norm(x), context=context, attend=attend_context, weights=weights
            )
            x = x + self.dropout(y)
            seen["cross_attentions"] = cross
        y = self.mlp(self.mlp_norm(x))
        if isinstance(self.mlp, MixtureOfExperts):
            y, seen["router_logits"] = y
        return x + self.dropout(y), cache, seen


class ParallelBlock(Layer):
    """Attention and an MLP side by side, both on normalised input; their sum is added to it.

    Args:
        attention, mlp: the two layers.
        attention_norm: what normalises the input.
        mlp_norm: what normalises it for the MLP. Default: the same.
        dropout: the rate at which their outputs are dropped in training.
    """

    def __init__(self, attention, mlp, attention_norm, mlp_norm=None, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.attention_norm, self.attention = attention_norm, attention
        self.mlp_norm, self.mlp = mlp_norm, mlp
        self.dropout = Dropout(dropout)

    def call(self, x, attend=None, cache=None, start=0, weights=False, **relations):
        """x (B, T, D), attend (B, 1, T, S) -> (B, T, D), cache, {"attentions": weights (B, H, T, S)}."""
        normed = self.attention_norm(x)
        y, cache, seen = self.attention(normed, attend=attend, cache=cache, start=start, weights=weights, **relations)
        z = self.mlp(normed if self.mlp_norm is None else self.mlp_norm(x))
        return x + self.dropout(y) + self.dropout(z), cache, {"attentions": seen}


class CausalDecoder(Model):
    """Embeddings, blocks and a norm, of which each token sees itself and those before it.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D) and, where wanted, attention_mask (B, <= S) and
    position_ids (B, T). Without position_ids the tokens are numbered from `start` on: for texts that are padded on the
    left, give them. It returns a dict of last_hidden_state (B, T, D).

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.

    A variant says what differs by `make_embeddings`, `make_block`, `make_norm`, `dropout_rate`, `embed` and
    `relations`.
    """

    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask")}
    optional = ("position_ids", "inputs_embeds")

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.embeddings = self.make_embeddings()
        self.dropout = Dropout(self.dropout_rate())
        self.blocks = [self.make_block(i) for i in range(self.config.num_hidden_layers)]
        self.norm = self.make_norm()

    def make_embeddings(self):
        return Embedding(self.config.vocab_size, self.config.hidden_size)

    def make_block(self, index):
        """The block at a place, counted from 0."""
        raise NotImplementedError

    def make_norm(self):
        """The norm behind the last block."""
        raise NotImplementedError

    def dropout_rate(self):
        """How much of what `embed` returns is dropped in training."""
        return 0.0

    def embed(self, inputs, positions, training=None):
        """The inputs and the positions (B or 1, T) of their tokens -> (B, T, D)."""
        given = inputs.get("inputs_embeds")
        return self.embeddings(inputs["input_ids"]) if given is None else given

    def relations(self, inputs, positions, cache):
        """What the blocks are told of the distances between tokens: {"rope": ..} or {"bias": ..}, see `Attention`."""
        return {}

    def words(self):
        """The word embeddings (V, D)."""
        return ops.convert_to_tensor(self.embeddings.embeddings)

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens: for each block 2 x (B, S, K, C)."""
        return tuple(block.attention.new_cache(batch, length) for block in self.blocks)

    def can_rewind(self, length):
        """Whether a cache for `length` tokens forgets tokens when the next ones are written in their place."""
        return all(b.attention.window is None or length < b.attention.window for b in self.blocks)

    def attend(self, inputs, cache, start):
        """What the tokens may look at: a mask for each block, see `decoder_mask`."""
        mask, tokens, made = inputs.get("attention_mask"), length(inputs), {}
        windows = [block.attention.window for block in self.blocks]
        for i, window in enumerate(windows):
            if window not in made:
                made[window] = decoder_mask(mask, tokens, None if cache is None else cache[i], start, window)
        return [made[window] for window in windows]

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state (B, T, D) and what else is asked for.

        Args:
            cache: from `new_cache` or the last call's past_key_values; the new one comes back as past_key_values.
            start: the place of the first token in the cache, an int or a scalar tensor.
            output_hidden_states, output_attentions: whether to return them. Default: as the configuration says.
        """
        tokens, positions = length(inputs), inputs.get("position_ids")
        if positions is None:
            positions = (start + ops.arange(tokens))[None]
        x, states = run_blocks(
            self.blocks,
            self.dropout(self.embed(inputs, positions, training)),
            self.config,
            cache,
            output_hidden_states,
            output_attentions,
            attend=self.attend(inputs, cache, start),
            start=start,
            **self.relations(inputs, positions, cache),
        )
        x = self.norm(x)
        if "hidden_states" in states:
            states["hidden_states"] = (*states["hidden_states"][:-1], x)
        return {"last_hidden_state": x} | states


class NextWordPrediction(CausalLanguageModeling):
    """Scores the next word at each token: logits (B, T, V), by the word embeddings where tied."""

    bias = False  # whether the scores have one

    def make_head(self):
        return VocabularyHead(self.config.vocab_size, self.config.tie_word_embeddings, self.bias)

    def words(self):
        return self.backbone.words()


class LastTokenClassification(SequenceClassification):
    """Classifies the whole text by its last token that is not padding: logits (B, labels).

    Raises:
        ValueError: several texts, and the configuration has no pad_token_id to tell where they end.
    """

    features = "last_hidden_state"

    def dropout_rate(self):
        return 0.0

    def make_head(self):
        return Dense(self.config.num_labels, use_bias=False)

    def call(self, inputs, training=None, **options):
        """inputs (B, T) -> logits (B, labels)."""
        outputs = self.backbone(inputs, training=training, **options)
        scores = self.head(outputs["last_hidden_state"])  # (B, T, labels)
        return respond({"logits": ops.take_along_axis(scores, self.last(inputs)[:, None, None], axis=1)[:, 0]}, outputs)

    def last(self, inputs):
        """Where the last token that is not padding stands, (B or 1,)."""
        ids, padding, tokens = inputs.get("input_ids"), self.config.pad_token_id, length(inputs)
        if ids is None or padding is None:
            if ids is not None and sizes_are_known(ids.shape[0]) and ids.shape[0] > 1:
                raise ValueError("several texts need a pad_token_id in the configuration, to tell where they end")
            return ops.reshape(tokens - 1, (1,))
        return ops.max(ops.where(ops.not_equal(ids, padding), ops.arange(tokens), 0), axis=1)

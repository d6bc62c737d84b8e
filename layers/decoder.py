"""Causal decoders and the heads on top.

It reads the configuration by BERT's and Llama's names of the fields; one that calls them otherwise has `synonyms`.
Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads, K key/value heads, C channels a head,
V words.
"""

from keras import ops
from keras.layers import Dense

from keras_tfm.layers.embeddings import vectors
from keras_tfm.layers.heads import CausalLanguageModeling, SequenceClassification, VocabularyHead, respond
from keras_tfm.layers.masks import decoder_mask, length, padding_mask
from keras_tfm.layers.stack import Stack
from keras_tfm.runtime.tracing import sizes_are_known


class CausalDecoder(Stack):
    """A `Stack` of which each token sees itself and those before it.

    Without position_ids the tokens are numbered from `start` on: for texts that are padded on the left, give them.
    Blocks with cross attention look at encoder_hidden_states (B, S, D), where encoder_attention_mask (B, S) lets them;
    in the place of the former, what `remember` made of them saves the work of doing so for each token.
    """

    @property
    def has_cross_attention(self):
        return self.config.add_cross_attention

    def signature(self):
        if not self.has_cross_attention:
            return self.served
        encoder = {"encoder_hidden_states": ((None, None, self.config.hidden_size), "float32")}
        return self.served | encoder | {"encoder_attention_mask": ((None, None), "int32")}

    def relations(self, inputs, positions, cache):
        context = inputs.get("encoder_hidden_states")
        if context is None:
            return {}
        if not self.has_cross_attention:
            raise ValueError("encoder_hidden_states need a model with add_cross_attention=True")
        return {"context": context, "attend_context": padding_mask(inputs.get("encoder_attention_mask"))}

    def remember(self, context):
        """The keys and values of encoder_hidden_states (B, S, D), for each block 2 x (B, S, K, C)."""
        return tuple(block.cross_attention.keys_and_values(context) for block in self.blocks)

    def words(self):
        """The word embeddings (V, D)."""
        return vectors(self.word_table)

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

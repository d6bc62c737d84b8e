"""Embeddings, blocks and a norm: what encoders and decoders of more recent families have in common.

It reads the configuration by BERT's and Llama's names of the fields; one that calls them otherwise has `synonyms`.
Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads.
"""

from keras import ops
from keras.layers import Dropout, Embedding

from keras_tfm.layers.base import Model, run_blocks
from keras_tfm.layers.masks import length, padding_mask


class Stack(Model):
    """Embeddings, blocks and a norm.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D) and, where wanted, attention_mask (B, <= S) and
    position_ids (B, T). It returns a dict of last_hidden_state (B, T, D).

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.
        words: the table of word embeddings that it shares with others. Default: one of its own.

    A variant says what differs by `make_embeddings`, `make_block`, `make_norm`, `depth`, `dropout_rate`, `embed`,
    `attend` and `relations`.
    """

    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask")}
    optional = ("position_ids", "inputs_embeds")

    def __init__(self, config, words=None, **kwargs):
        super().__init__(config, **kwargs)
        self.embeddings = self.make_embeddings() if words is None else self.make_embeddings(words)
        self.dropout = Dropout(self.dropout_rate())
        self.blocks = [self.make_block(i) for i in range(self.depth)]
        self.norm = self.make_norm()

    @property
    def depth(self):
        """How many blocks there are."""
        return self.config.num_hidden_layers

    def make_embeddings(self):
        return Embedding(self.vocabulary, self.config.hidden_size)

    def make_block(self, index):
        """The block at a place, counted from 0."""
        raise NotImplementedError

    def make_norm(self):
        """The norm behind the last block, if there is one."""
        return None

    @property
    def word_table(self):
        """The layer with the word embeddings."""
        return self.embeddings

    def dropout_rate(self):
        """How much of what `embed` returns is dropped in training."""
        return 0.0

    def embed(self, inputs, positions, training=None):
        """The inputs and the positions (B or 1, T) of their tokens -> (B, T, D)."""
        given = inputs.get("inputs_embeds")
        return self.embeddings(inputs["input_ids"]) if given is None else given

    def attend(self, inputs, cache, start):
        """What the tokens may look at: a mask for all blocks, or a list of one for each."""
        return padding_mask(inputs.get("attention_mask"))

    def finish(self, x):
        """What the last block returns -> last_hidden_state (B, T, D)."""
        return x if self.norm is None else self.norm(x)

    def relations(self, inputs, positions, cache):
        """What the blocks are told besides: {"rope": ..}, {"bias": ..} and {"context": ..}, see `Attention`."""
        return {}

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
        x = self.finish(x)
        if "hidden_states" in states:
            states["hidden_states"] = (*states["hidden_states"][:-1], x)
        return {"last_hidden_state": x} | states

"""The encoder of BERT's family: embeddings, post-norm blocks, a pooler on the first token.

It reads the configuration by BERT's names of the fields; a configuration that calls them otherwise has `synonyms`.
Shapes: B batch, T new tokens, S keys (S = T without a cache), D width, H heads, C channels a head.
"""

from keras import ops
from keras.layers import Dense, LayerNormalization

from keras_tfm.layers.attention import Attention
from keras_tfm.layers.base import Model, run_blocks
from keras_tfm.layers.blocks import PostNormBlock
from keras_tfm.layers.embeddings import RelativeKeyAttention, TextEmbeddings
from keras_tfm.layers.masks import decoder_mask, length, padding_mask
from keras_tfm.layers.mlp import MLP


def self_attention(c, relative=RelativeKeyAttention):
    """The attention that `position_embedding_type` asks for; ValueError if it is none of those known.

    Args:
        relative: the class for learned relative positions.
    """
    kind = getattr(c, "position_embedding_type", "absolute")
    sizes = {"width": c.hidden_size, "heads": c.num_attention_heads, "dropout": c.attention_probs_dropout_prob}
    if kind in ("relative_key", "relative_key_query"):
        return relative(**sizes, positions=c.max_position_embeddings, with_key=kind == "relative_key_query")
    if kind != "absolute":
        raise ValueError(f"unknown position_embedding_type {kind!r}")
    return Attention(**sizes)


class EncoderBlock(PostNormBlock):
    """A post-norm block as the configuration describes it, with attention to an encoder if `add_cross_attention`.

    Args:
        c: the configuration.
        attention: the layer that looks at the text itself. Default: by `position_embedding_type`.
    """

    def __init__(self, c, attention=None, **kwargs):
        cross = {}
        if c.add_cross_attention:
            cross["cross_attention"] = Attention(
                c.hidden_size, c.num_attention_heads, dropout=c.attention_probs_dropout_prob
            )
            cross["cross_attention_norm"] = LayerNormalization(epsilon=c.layer_norm_eps)
        super().__init__(
            attention or self_attention(c),
            MLP(c.hidden_size, c.intermediate_size, c.hidden_act),
            LayerNormalization(epsilon=c.layer_norm_eps),
            LayerNormalization(epsilon=c.layer_norm_eps),
            dropout=c.hidden_dropout_prob,
            **cross,
            **kwargs,
        )


class TextEncoder(Model):
    """Embeddings, blocks and a pooler: an encoder, or with `is_decoder` a causal decoder.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D) and, where wanted, attention_mask (B, T),
    token_type_ids, position_ids; a decoder with `add_cross_attention` also takes encoder_hidden_states (B, S, D), or
    what `remember` made of them, and encoder_attention_mask (B, S). It returns a dict of last_hidden_state (B, T, D)
    and, from those that have a pooler, pooler_output (B, D).

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.
        pooler: whether to have the pooler. Default True.

    A variant says what differs by `make_embeddings`, `make_blocks` or `make_block`, `make_pooler`, `relations`, `run`.
    """

    served = {name: ((None, None), "int32") for name in ("input_ids", "attention_mask", "token_type_ids")}
    optional = ("position_ids", "inputs_embeds", "encoder_hidden_states", "encoder_attention_mask")
    has_pooler = True

    def __init__(self, config, pooler=True, **kwargs):
        super().__init__(config, **kwargs)
        c = self.config
        if c.is_decoder and "encoder_hidden_states" not in self.optional:
            raise ValueError(f"{type(self).__name__} is an encoder: is_decoder must be False")
        if c.add_cross_attention and not c.is_decoder:
            raise ValueError("add_cross_attention=True needs is_decoder=True")
        self.embeddings = self.make_embeddings()
        self.blocks = self.make_blocks()
        self.pooler = self.make_pooler() if pooler else None

    def make_embeddings(self, cls=TextEmbeddings, **options):
        """The embeddings, of a configuration that has BERT's fields; a variant names its own class and options."""
        c = self.config
        types = getattr(c, "type_vocab_size", None)
        sizes = {"width": c.hidden_size, "positions": c.max_position_embeddings, "types": types}
        sizes["add_positions"] = getattr(c, "position_embedding_type", "absolute") == "absolute"
        common = {"epsilon": c.layer_norm_eps, "dropout": c.hidden_dropout_prob}
        return cls(c.vocab_size, **sizes | common | options)

    def make_blocks(self):
        return [self.make_block() for _ in range(self.config.num_hidden_layers)]

    def make_block(self):
        return EncoderBlock(self.config)

    def make_pooler(self):
        """The layer that makes pooler_output (B, D) of the first token, or None."""
        return Dense(self.config.hidden_size, activation="tanh")

    def relations(self, inputs, x, cache, start):
        """What the blocks are told of the distances between tokens: {"rope": ..} or {"bias": ..}, see `Attention`."""
        return {}

    def run(self, x, *args, **options):
        """x (B, T, D) through the blocks: see `run_blocks`."""
        return run_blocks(self.blocks, x, self.config, *args, **options)

    @property
    def causal(self):
        """Whether each token sees only those before it."""
        return self.config.is_decoder

    @property
    def has_cross_attention(self):
        return self.config.add_cross_attention

    @property
    def room(self):
        return self.embeddings.room

    def signature(self):
        if not self.has_cross_attention:
            return self.served
        encoder = {"encoder_hidden_states": ((None, None, self.config.hidden_size), "float32")}
        return self.served | encoder | {"encoder_attention_mask": ((None, None), "int32")}

    def get_config(self):
        return super().get_config() | {"pooler": self.pooler is not None}

    def remember(self, context):
        """The keys and values of encoder_hidden_states (B, S, D), for each block 2 x (B, S, H, C)."""
        return tuple(block.cross_attention.keys_and_values(context) for block in self.blocks)

    def can_rewind(self, length):
        """Whether a cache for `length` tokens forgets tokens when the next ones are written in their place."""
        return True

    def new_cache(self, batch, length):
        """An empty cache for `batch` texts of at most `length` tokens: for each block 2 x (B, S, H, C).

        Raises:
            ValueError: the model is no decoder.
        """
        if not self.causal:
            raise ValueError(f"{type(self).__name__} sees what comes next: a cache, and generation, need a decoder")
        return tuple(block.attention.new_cache(batch, length) for block in self.blocks)

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> last_hidden_state (B, T, D), pooler_output (B, D), and what else is asked for.

        Args:
            cache: from `new_cache` or the last call's past_key_values; the new one comes back as past_key_values.
            start: the position of the first token, an int or a scalar tensor.
            output_hidden_states, output_attentions: whether to return them. Default: as the configuration says.
        """
        mask, context = inputs.get("attention_mask"), inputs.get("encoder_hidden_states")
        if context is not None and not self.has_cross_attention:
            raise ValueError("encoder_hidden_states need a model with add_cross_attention=True and is_decoder=True")
        attend = decoder_mask(mask, length(inputs), cache and cache[0], start) if self.causal else padding_mask(mask)
        x = self.embeddings(inputs, start=start)
        x, states = self.run(
            x,
            cache,
            output_hidden_states,
            output_attentions,
            attend=attend,
            context=context,
            attend_context=padding_mask(inputs.get("encoder_attention_mask")),
            start=start,
            **self.relations(inputs, x, cache, start),
        )
        outputs = {"last_hidden_state": x}
        if self.pooler is not None:
            outputs["pooler_output"] = self.pooler(x[:, 0])
        return outputs | states


def positions_of(x, start):
    """The positions (1, T) of new tokens x (B, T, D), the first at `start`."""
    return (start + ops.arange(ops.shape(x)[1]))[None]

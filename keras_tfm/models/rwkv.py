"""RWKV: a decoder whose attention is a decaying average, so that a few sums stand for all the past (arXiv:2305.13048).

Shapes: B batch, T new tokens, D width, A attention width, L blocks, V words.
"""

from dataclasses import dataclass

import numpy as np
from keras import ops
from keras.initializers import Constant, Ones
from keras.layers import Dense, LayerNormalization

from keras_tfm.layers.base import Layer, run_blocks
from keras_tfm.layers.config import Config
from keras_tfm.layers.decoder import CausalDecoder, NextWordPrediction
from keras_tfm.layers.heads import respond
from keras_tfm.layers.masks import length

NOTHING = -1e30  # the logarithm of the weight of a past that there is not


@dataclass(kw_only=True)
class RwkvConfig(Config):
    model_type = "rwkv"
    synonyms = {"max_position_embeddings": "context_length"}

    vocab_size: int = 50277
    context_length: int = 1024
    hidden_size: int = 4096
    num_hidden_layers: int = 32
    attention_hidden_size: int | None = None
    intermediate_size: int | None = None
    layer_norm_epsilon: float = 1e-5
    bos_token_id: int | None = 0
    eos_token_id: int | list | None = 0
    rescale_every: int = 6
    tie_word_embeddings: bool = False
    use_cache: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.attention_hidden_size = self.attention_hidden_size or self.hidden_size
        self.intermediate_size = self.intermediate_size or 4 * self.hidden_size


class TokenShift(Layer):
    """Mixes each token with the one before it, by a share for each channel.

    Args:
        width: D.
        power, offset: the shares begin as (channel / D) ** power + offset.
    """

    def __init__(self, width, power, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.share_initializer = Constant(((np.arange(width) / width) ** power + offset).astype("float32"))

    def build(self, x_shape, before_shape):
        self.share = self.add_weight(name="share", shape=(1, 1, x_shape[-1]), initializer=self.share_initializer)

    def call(self, x, before):
        """x and what stands before each token, (B, T, D) -> (B, T, D)."""
        return x * self.share + before * (1 - self.share)


class DecayingAverage(Layer):
    """The average of all values so far, weighted by exp(key), which decays at each token; the newest has a bonus.

    Args:
        width: A.
        depth: of the block, from 0 to 1: the deeper, the longer it remembers at first.
    """

    def __init__(self, width, depth, **kwargs):
        super().__init__(**kwargs)
        decay = -5 + 8 * (np.arange(width) / max(1, width - 1)) ** (0.7 + 1.3 * depth)
        self.time_decay_initializer, self.time_first_initializer = Constant(decay.astype("float32")), Ones()

    def build(self, key_shape, value_shape, past_shape):
        for name in ("time_decay", "time_first"):  # too delicate for half precision
            initializer, shape = getattr(self, f"{name}_initializer"), (key_shape[-1],)
            weight = self.add_weight(name=name, shape=shape, initializer=initializer, dtype="float32", autocast=False)
            setattr(self, name, weight)

    def call(self, key, value, past):
        """key and value (B, T, A), past 3 x (B, A) -> the averages (B, T, A), the new past.

        The past is what `joined` makes of the tokens so far: the weighted sum of their values, the sum of the weights,
        and the logarithm of the scale of both.
        """
        key, value = ops.cast(key, "float32"), ops.cast(value, "float32")
        decay = -ops.exp(ops.convert_to_tensor(self.time_decay))
        sums = self.sums_so_far((value, ops.ones_like(value), key), past, decay)
        before = tuple(x[:, :-1] for x in sums)
        total, weight, _ = joined(before, (value, ops.ones_like(value), key + self.time_first))
        return total / weight, tuple(x[:, -1] for x in sums)

    def sums_so_far(self, tokens, past, decay):
        """The past (each (B, A)) and tokens (each (B, T, A)) -> the past before and after each, (B, T + 1, A).

        Each sum takes in the one that ends where it begins, and so spans twice as many tokens: log2(T) rounds.
        """
        sums = tuple(ops.concatenate([p[:, None], x], axis=1) for p, x in zip(past, tokens, strict=True))
        count = ops.shape(sums[0])[1]

        def double(span, sums):
            places = ops.arange(count) - span
            total, weight, scale = (ops.take(x, ops.maximum(places, 0), axis=1) for x in sums)
            scale = ops.where((places >= 0)[:, None], scale + ops.cast(span, scale.dtype) * decay, NOTHING)
            return 2 * span, joined((total, weight, scale), sums)

        if not isinstance(count, int):  # known only when the program runs: a round for each bit that a place can have
            return ops.fori_loop(0, 31, lambda _, state: double(*state), (ops.ones((), "int32"), sums))[1]
        span = 1
        while span < count:
            span, sums = double(span, sums)
        return sums


def joined(a, b):
    """Two sums as one; each is a weighted sum, the sum of the weights, and the logarithm of the scale of both."""
    scale = ops.maximum(a[2], b[2])
    of_a, of_b = ops.exp(a[2] - scale), ops.exp(b[2] - scale)
    return of_a * a[0] + of_b * b[0], of_a * a[1] + of_b * b[1], scale


class RwkvAttention(Layer):
    """The decaying average of what the tokens so far have to say, as far as each is receptive to it.

    Args:
        c: the configuration.
        index: the place of the block, counted from 0.
    """

    def __init__(self, c, index, **kwargs):
        super().__init__(**kwargs)
        depth, height = index / max(1, c.num_hidden_layers - 1), 1 - index / c.num_hidden_layers
        self.key_shift = TokenShift(c.hidden_size, height)
        self.value_shift = TokenShift(c.hidden_size, height, 0.3 * depth)
        self.receptance_shift = TokenShift(c.hidden_size, 0.5 * height)
        self.key, self.value, self.receptance = (Dense(c.attention_hidden_size, use_bias=False) for _ in range(3))
        self.average = DecayingAverage(c.attention_hidden_size, depth)
        self.project = Dense(c.hidden_size, use_bias=False)

    def call(self, x, before, past, scale):
        """x and what stands before each token, (B, T, D), past 3 x (B, A) -> scaled (B, T, D), the new past."""
        key, value = self.key(self.key_shift(x, before)), self.value(self.value_shift(x, before))
        receptance = ops.sigmoid(self.receptance(self.receptance_shift(x, before)))
        y, past = self.average(key, value, past)
        return self.project(receptance * ops.cast(y, receptance.dtype) * scale), past


class RwkvMLP(Layer):
    """An MLP with squared activations, as far as each token is receptive to its result; arguments as above."""

    def __init__(self, c, index, **kwargs):
        super().__init__(**kwargs)
        self.key_shift, self.receptance_shift = (
            TokenShift(c.hidden_size, 1 - index / c.num_hidden_layers) for _ in range(2)
        )
        self.up = Dense(c.intermediate_size, use_bias=False)
        self.receptance, self.down = (Dense(c.hidden_size, use_bias=False) for _ in range(2))

    def call(self, x, before, scale):
        """x and what stands before each token, (B, T, D) -> scaled (B, T, D)."""
        receptance = ops.sigmoid(self.receptance(self.receptance_shift(x, before)))
        return receptance * self.down(ops.square(ops.relu(self.up(self.key_shift(x, before)))) * scale)


class RwkvBlock(Layer):
    """Attention and an MLP, each on normalised input and added to it.

    Except in training, what passes through the blocks is halved after every `rescale_every` of them, and what they add
    is scaled alike, so that half precision does not overflow.
    """

    def __init__(self, c, index, **kwargs):
        super().__init__(**kwargs)
        self.attention_norm, self.mlp_norm = (LayerNormalization(epsilon=c.layer_norm_epsilon) for _ in range(2))
        self.attention, self.mlp = RwkvAttention(c, index), RwkvMLP(c, index)
        every = c.rescale_every if c.rescale_every > 0 else c.num_hidden_layers + 1
        self.scale, self.end_scale = 0.5 ** (index // every), 0.5 if (index + 1) % every == 0 else 1.0

    def call(self, x, cache, weights=False, training=None):
        """x (B, T, D), cache as in `RwkvModel.new_cache` -> (B, T, D), cache, {"attentions": (B, T, D)}."""
        scale, end_scale = (1.0, 1.0) if training else (self.scale, self.end_scale)
        for_mlp, for_attention, *past = cache
        normed = self.attention_norm(x)
        y, past = self.attention(normed, shifted(normed, for_attention), past, scale=scale)
        x = x + y
        mlp_normed = self.mlp_norm(x)
        x = x + self.mlp(mlp_normed, shifted(mlp_normed, for_mlp), scale=scale)
        return x * end_scale, (mlp_normed[:, -1], normed[:, -1], *past), {"attentions": y}


def shifted(x, last):
    """x (B, T, D) and the token before them (B, D) -> what stands before each, (B, T, D)."""
    return ops.concatenate([ops.cast(last, x.dtype)[:, None], x[:, :-1]], axis=1)


class RwkvModel(CausalDecoder):
    """Embeddings, blocks and a norm. There is no attention_mask: what is padded on the right leaves the text as it is.

    Call it with a dict of input_ids (B, T) or inputs_embeds (B, T, D); last_hidden_state (B, T, D) comes back in one.
    Its `attentions` are what the attention adds, (B, T, D) each.

    Args:
        config: a configuration of the class's `config_class`, or a dict of its fields.
    """

    config_class = RwkvConfig
    served = {"input_ids": ((None, None), "int32")}
    optional = ("inputs_embeds",)

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.embeddings_norm = LayerNormalization(epsilon=self.config.layer_norm_epsilon)

    def make_block(self, index):
        return RwkvBlock(self.config, index)

    def make_norm(self):
        return LayerNormalization(epsilon=1e-5)  # whatever the configuration says

    def new_cache(self, batch, length=None):
        """What stands for an empty past of `batch` texts, however long: for each block the last token before its MLP
        and before its attention, (B, D) each, and the sums of its attention, 3 x (B, A)."""
        c = self.config

        def zeros(width, dtype):
            return ops.zeros((batch, width), dtype)

        def empty():
            last = (zeros(c.hidden_size, self.compute_dtype) for _ in range(2))
            sums = (zeros(c.attention_hidden_size, "float32") for _ in range(3))
            return (*last, *(s + NOTHING * (i == 2) for i, s in enumerate(sums)))

        return tuple(empty() for _ in self.blocks)

    def can_rewind(self, length):
        return False

    def call(
        self,
        inputs,
        cache=None,
        start=0,
        use_cache=False,
        output_hidden_states=None,
        output_attentions=None,
        training=None,
    ):
        """inputs as above -> last_hidden_state (B, T, D) and what else is asked for.

        Args:
            cache: from `new_cache` or the last call's past_key_values; the new one comes back as past_key_values.
            start: how many tokens it stands for; the result does not depend on it.
            use_cache: whether to return the cache as the reference does, too: state, 5 x (B, D or A, L).
            output_hidden_states, output_attentions: whether to return them. Default: as the configuration says.
        """
        length(inputs)
        x = self.embed(inputs, positions=None)
        x, states = run_blocks(
            self.blocks,
            self.embeddings_norm(x),
            self.config,
            self.new_cache(ops.shape(x)[0]) if cache is None else cache,
            output_hidden_states,
            output_attentions,
            training=training,
        )
        x = self.norm(x)
        if "hidden_states" in states:
            states["hidden_states"] = (*states["hidden_states"][1:], x)
        entries = states["past_key_values"]
        if cache is None:
            del states["past_key_values"]
        if use_cache:
            states["state"] = [ops.stack(arrays, axis=-1) for arrays in zip(*entries, strict=True)]
        return {"last_hidden_state": x} | states


class RwkvForCausalLM(NextWordPrediction):
    backbone_class = RwkvModel

    def call(self, inputs, cache=None, start=0, use_cache=False, training=None, **options):
        """inputs (B, T) -> logits (B, T, V); with `use_cache` also state, see `RwkvModel`."""
        outputs = self.backbone(inputs, cache=cache, use_cache=use_cache, training=training, **options)
        predictions = {"logits": self.head(outputs["last_hidden_state"], self.words())}
        if use_cache:
            predictions["state"] = outputs["state"]
        return respond(predictions, outputs)

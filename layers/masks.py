"""Who may look at whom. Our masks are called `attend`: bool, True = may look, (B or 1, 1, T or 1, S)."""

from keras import ops


def length(inputs):
    """The number of new tokens T of a dict of text inputs, from `input_ids` (B, T) or `inputs_embeds` (B, T, D).

    Raises:
        ValueError: neither or both are there.
    """
    given = [inputs[name] for name in ("input_ids", "inputs_embeds") if inputs.get(name) is not None]
    if len(given) != 1:
        raise ValueError(f"give exactly one of input_ids and inputs_embeds; got {', '.join(inputs) or 'no inputs'}")
    return ops.shape(given[0])[1]


def padding_mask(attention_mask):
    """attention_mask (B, S), or (B, T, S) where each token has its own; 1 = look -> attend; None stays None."""
    if attention_mask is None:
        return None
    rank = len(attention_mask.shape)
    if rank not in (2, 3):
        raise ValueError(f"attention_mask has the shape (batch, length) or (batch, length, length), not rank {rank}")
    attend = ops.cast(attention_mask, "bool")
    return ops.expand_dims(attend, (1, 2) if rank == 2 else 1)


def causal_mask(length, keys=None, start=0):
    """attend (1, 1, T, S) that lets each of T tokens, the first at position `start`, look at itself and before.

    Args:
        length: T.
        keys: S, the number of keys, in a cache the whole length of it. Default T.
        start: the position of the first token, an int or a scalar tensor. Default 0.
    """
    positions = start + ops.arange(length)
    return (ops.arange(length if keys is None else keys) <= positions[:, None])[None, None]


def window_mask(window, length, keys, start=0):
    """attend (1, 1, T, S) that hides what lies `window` tokens or more before each of T (arXiv:2004.05150).

    Args:
        window: how many tokens are left, itself and those just before it.
        length, keys, start: as in `causal_mask`.
    """
    positions = start + ops.arange(length)
    return (ops.arange(keys) > positions[:, None] - window)[None, None]


def decoder_mask(attention_mask, length, cache=None, start=0):
    """attend (B or 1, 1, T, S) of a causal decoder whose padding is marked in attention_mask (B, <= S).

    With a cache S is the cache's length; tokens behind the end of `attention_mask` count as real.
    """
    keys = length if cache is None else ops.shape(cache[0][0])[1]
    attend = causal_mask(length, keys, start)
    padding = padding_mask(attention_mask)
    if padding is None:
        return attend
    if cache is not None:
        missing = keys - ops.shape(attention_mask)[-1]
        padding = ops.pad(padding, ((0, 0), (0, 0), (0, 0), (0, missing)), constant_values=True)
    return ops.logical_and(attend, padding)

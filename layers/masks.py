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


def decoder_mask(attention_mask, length, cache=None, start=0, window=None):
    """attend (B or 1, 1, T, S) of a causal decoder: each of T tokens looks at itself and at those before it.

    Args:
        attention_mask: (B, M) or (B, T, M), 0 for padding, which nobody looks at; tokens behind its end count as real.
            Default: all are real.
        length: T.
        cache: that of a block, whose S keys stand at the positions from 0 on; or, if there are just `window` of them,
            before the new tokens, whose keys then follow them (see `Attention`). Default: the keys are the T tokens'.
        start: the position of the first token, an int or a scalar tensor.
        window: how many tokens each one sees, itself and those just before it (arXiv:2004.05150). Default: all.
    """
    places = start + ops.arange(length)
    keys = ops.arange(length if cache is None else ops.shape(cache[0])[1])
    if cache is not None and slides(cache, window):
        keys = ops.arange(window + length) + (start - window)
    attend = keys <= places[:, None]
    if window is not None:
        attend = ops.logical_and(attend, keys > places[:, None] - window)
    if cache is not None and slides(cache, window):
        attend = ops.logical_and(attend, keys >= 0)  # at the beginning there is nothing before the text
    attend = attend[None, None]
    padding = padding_mask(attention_mask)
    if padding is None:
        return attend
    last = ops.shape(attention_mask)[-1] - 1
    real = ops.logical_or(ops.take(padding, ops.clip(keys, 0, last), axis=-1), keys > last)
    return ops.logical_and(attend, real)


def slides(cache, window):
    """Whether the cache of a block holds the last `window` tokens, and not the text from its beginning."""
    return window is not None and cache[0].shape[1] == window

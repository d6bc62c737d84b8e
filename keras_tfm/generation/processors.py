"""Rules that change the scores of the next token before it is chosen.

A rule is a function `rule(scores, ids, length, **options) -> scores`:

- scores (R, V) float32: of every word of the vocabulary, for each row.
- ids (R, S) int32: the tokens so far, the prompt and its padding included. Only the first `length` columns count, an
  int or a scalar tensor; anything may stand in those behind.

Rules are compiled, so they do not look at the values of tensors to decide what to do. Their options are bound with
`functools.partial`: floats and NumPy arrays become arguments of the compiled program, so that another temperature or
another length compiles nothing; ints, bools and tuples become part of it.

`processors` and `warpers` give the rules that a `GenerationConfig` asks for. They compute what Transformers 4.39's
do, with three repairs of 5.x: an n-token sequence is known from n - 1 tokens on, beams look at the source text of
their own example, and a length penalty leaves a forbidden token forbidden.

Letters: R rows (batch times beams), S room for tokens, V words, T tokens of the source text, N sequences or tokens.
"""

from functools import partial

import numpy as np
from keras import ops

FORBIDDEN = -np.inf


# Sampling


def temperature(scores, ids, length, *, temperature):
    """Divides the scores: below 1 the likely become likelier, above 1 less likely."""
    return scores / temperature


def top_k(scores, ids, length, *, top_k, min_tokens_to_keep=1):
    """Keeps the `top_k` best, and what equals the last of them."""
    return ops.where(scores < _best(scores, max(top_k, min_tokens_to_keep)), FORBIDDEN, scores)


def top_p(scores, ids, length, *, top_p, min_tokens_to_keep=1):
    """Keeps the fewest whose probabilities add up to `top_p` (nucleus sampling, arXiv:1904.09751)."""
    probabilities, best = ops.softmax(scores), ops.max(scores, axis=-1, keepdims=True)
    gap = ops.view(best - scores, "int32")
    bound = _largest(gap, lambda beyond: _total(probabilities, beyond) > 1 - top_p)
    bound = ops.maximum(bound, ops.view(best - _best(scores, min_tokens_to_keep), "int32"))
    # Of those that equal the last one kept, the first ones are dropped.
    equal = gap == bound
    rank = ops.cumsum(ops.cast(equal, "int32"), axis=-1)
    enough = _total(probabilities, gap > bound) + probabilities * ops.cast(rank, "float32") <= 1 - top_p
    spare = rank <= ops.sum(ops.cast(gap <= bound, "int32"), axis=-1, keepdims=True) - min_tokens_to_keep
    dropped = ops.logical_or(gap > bound, ops.logical_and(equal, ops.logical_and(enough, spare)))
    return ops.where(dropped, FORBIDDEN, scores)


def min_p(scores, ids, length, *, min_p, min_tokens_to_keep=1):
    """Keeps those at least `min_p` times as probable as the best (arXiv:2407.01082)."""
    probabilities = ops.softmax(scores)
    unlikely = probabilities < min_p * ops.max(probabilities, axis=-1, keepdims=True)
    return _forbid(scores, unlikely, _best(scores, min_tokens_to_keep))


def typical_p(scores, ids, length, *, typical_p, min_tokens_to_keep=1):
    """Keeps those as surprising as is to be expected, up to a probability of `typical_p` (arXiv:2202.00666)."""
    logs = ops.log_softmax(scores)
    distance = ops.abs(-logs - _entropy(logs))
    bits = ops.view(distance, "int32")
    last = _largest(bits, lambda beyond: _total(ops.exp(logs), ops.logical_not(beyond)) < typical_p)
    kept = ops.logical_or(bits <= last, -distance >= _best(-distance, min_tokens_to_keep))
    return ops.where(kept, scores, FORBIDDEN)


def epsilon_cutoff(scores, ids, length, *, epsilon, min_tokens_to_keep=1):
    """Keeps those with at least the probability `epsilon` (arXiv:2210.15191)."""
    return _forbid(scores, ops.softmax(scores) < epsilon, _best(scores, min_tokens_to_keep))


def eta_cutoff(scores, ids, length, *, epsilon, min_tokens_to_keep=1):
    """As `epsilon_cutoff`, with a bound that falls where many tokens are likely (arXiv:2210.15191)."""
    logs = ops.log_softmax(scores)
    eta = ops.minimum(epsilon, ops.sqrt(epsilon) * ops.exp(-_entropy(logs)))
    return _forbid(scores, ops.exp(logs) < eta, _best(scores, min_tokens_to_keep))


# Repetition


def repetition_penalty(scores, ids, length, *, penalty):
    """Makes the tokens of the text less likely, for a `penalty` above 1 (arXiv:1909.05858)."""
    return _penalize(scores, _words(_so_far(ids, length), scores), penalty)


def encoder_repetition_penalty(scores, ids, length, *, penalty, encoder_ids):
    """Makes the tokens of the source text, encoder_ids (B, T), likelier. Negative ids there count for nothing."""
    return _penalize(scores, _words(_each_row(encoder_ids, scores), scores), 1 / penalty)


def no_repeat_ngram(scores, ids, length, *, size):
    """Forbids what would complete a sequence of `size` tokens that the text has already."""
    return _forbid_ngrams(scores, _so_far(ids, length), ids, length, size)


def encoder_no_repeat_ngram(scores, ids, length, *, size, encoder_ids):
    """Forbids what would complete a sequence of `size` tokens of the source text, encoder_ids (B, T)."""
    return _forbid_ngrams(scores, _each_row(encoder_ids, scores), ids, length, size)


# Words wanted and not


def sequence_bias(scores, ids, length, *, sequences, bias):
    """Adds to the score of a sequence's last token where the text ends with the others.

    Args:
        sequences: (N, most tokens) int32, filled up with -1 on the left.
        bias: (N,) float32.
    """
    sequences = ops.convert_to_tensor(sequences)
    before = sequences.shape[1] - 1
    matches = sequences[None, :, -1] >= 0
    for i in range(before):
        back = before - i
        token = ops.take(ids, ops.maximum(length - back, 0), axis=1)[:, None]
        equal = ops.logical_and(token == sequences[None, :, i], length >= back)
        matches = ops.logical_and(matches, ops.logical_or(equal, sequences[None, :, i] < 0))
    rows, words = scores.shape
    count = sequences.shape[0]
    matches = ops.broadcast_to(matches, (rows, count))
    last = ops.broadcast_to(sequences[None, :, -1], (rows, count))
    added = _scatter(ops.zeros((rows, words + 1)), last, ops.where(matches, bias, 0.0), "add")
    return scores + added[:, :words]


def bad_words(scores, ids, length, *, sequences):
    """Forbids the last token of each sequence (see `sequence_bias`) where the text ends with the others."""
    return sequence_bias(scores, ids, length, sequences=sequences, bias=FORBIDDEN)


def suppress_tokens(scores, ids, length, *, tokens):
    """Forbids tokens (N,)."""
    return ops.where(_words(tokens, scores), FORBIDDEN, scores)


def begin_suppress_tokens(scores, ids, length, *, tokens, begin):
    """Forbids tokens (N,) where the text is `begin` long, at its first new token."""
    return ops.where(ops.equal(length, begin), suppress_tokens(scores, ids, length, tokens=tokens), scores)


def allowed_tokens(scores, ids, length, *, allowed):
    """Forbids all but the allowed (R, V), a bool each."""
    return ops.where(allowed, scores, FORBIDDEN)


# Beginning and end


def min_length(scores, ids, length, *, minimum, eos):
    """Forbids the end, any of the tokens eos (N,), to texts shorter than `minimum`, the prompt included."""
    return ops.where(ops.less(length, minimum), suppress_tokens(scores, ids, length, tokens=eos), scores)


def min_new_tokens(scores, ids, length, *, minimum, prompt_length, eos):
    """Forbids the end, any of the tokens eos (N,), before there are `minimum` tokens behind the prompt."""
    return min_length(scores, ids, ops.subtract(length, prompt_length), minimum=minimum, eos=eos)


def forced_bos(scores, ids, length, *, tokens):
    """Only tokens (N,) may come second, after the one that starts a decoder."""
    return ops.where(ops.equal(length, 1), _only(tokens, scores), scores)


def forced_eos(scores, ids, length, *, max_length, tokens):
    """Only tokens (N,) may come last, where there is room for one more."""
    return ops.where(ops.equal(length, ops.subtract(max_length, 1)), _only(tokens, scores), scores)


def forced_decoder_ids(scores, ids, length, *, positions, tokens):
    """Only tokens (N,) may come at their positions (N,) in the text."""
    here = ops.equal(positions, length)
    return ops.where(ops.any(here), _only(ops.where(here, tokens, -1), scores), scores)


def exponential_decay_length_penalty(scores, ids, length, *, start, factor, eos):
    """Makes the end, the tokens eos (N,), likelier with every token that the text is longer than `start`."""
    beyond = ops.cast(ops.subtract(length, start), "float32")
    more = ops.abs(scores) * (ops.power(factor, beyond) - 1)
    due = ops.logical_and(_words(eos, scores), ops.logical_and(beyond > 0, ops.isfinite(scores)))
    return ops.where(due, scores + more, scores)


# Numbers


def remove_invalid_values(scores, ids, length):
    """Not a number becomes 0, infinities the largest and smallest numbers."""
    limits = np.finfo("float32")
    return ops.nan_to_num(scores, nan=0.0, posinf=float(limits.max), neginf=float(limits.min))


def normalize(scores, ids, length):
    """Logarithms of probabilities."""
    return ops.log_softmax(scores)


# From a configuration to rules


def processors(config, prompt_length, encoder_ids=None):
    """The rules for any search, in the reference's order.

    Those that need more than a configuration (guidance, diverse beams, allowed prefixes) and the final `normalize` are
    the caller's.

    Args:
        config: a `GenerationConfig`, with the `max_length` that holds for this prompt.
        prompt_length: how many tokens the search starts with.
        encoder_ids: the source text (B, T) of which R is a multiple, or the prompt itself in a decoder.
    """
    c, rules = config, []
    eos = None if c.eos_token_id in (None, []) else _tokens(c.eos_token_id)
    if c.sequence_bias is not None:
        sequences, biases = zip(*c.sequence_bias.items(), strict=True)
        rules.append(partial(sequence_bias, sequences=_sequences(sequences), bias=np.array(biases, "float32")))
    if c.encoder_repetition_penalty not in (None, 1.0):
        source = _source(encoder_ids, "encoder_repetition_penalty")
        rules.append(
            partial(encoder_repetition_penalty, penalty=float(c.encoder_repetition_penalty), encoder_ids=source)
        )
    if c.repetition_penalty not in (None, 1.0):
        rules.append(partial(repetition_penalty, penalty=float(c.repetition_penalty)))
    if c.no_repeat_ngram_size:
        rules.append(partial(no_repeat_ngram, size=c.no_repeat_ngram_size))
    if c.encoder_no_repeat_ngram_size:
        source = _source(encoder_ids, "encoder_no_repeat_ngram_size")
        rules.append(partial(encoder_no_repeat_ngram, size=c.encoder_no_repeat_ngram_size, encoder_ids=source))
    if c.bad_words_ids is not None:
        ends = [] if eos is None else [[end] for end in eos]
        if bad := [sequence for sequence in c.bad_words_ids if list(sequence) not in ends]:  # a text may always end
            rules.append(partial(bad_words, sequences=_sequences(bad)))
    if c.min_length and eos is not None:
        rules.append(partial(min_length, minimum=_number(c.min_length), eos=eos))
    if c.min_new_tokens and eos is not None:
        begin = _number(prompt_length)
        rules.append(partial(min_new_tokens, minimum=_number(c.min_new_tokens), prompt_length=begin, eos=eos))
    if c.forced_bos_token_id is not None:
        rules.append(partial(forced_bos, tokens=_tokens(c.forced_bos_token_id)))
    if c.forced_eos_token_id is not None:
        ends = _tokens(c.forced_eos_token_id)
        rules.append(partial(forced_eos, max_length=_number(c.max_length), tokens=ends))
    if c.remove_invalid_values:
        rules.append(remove_invalid_values)
    if c.exponential_decay_length_penalty is not None:
        start, factor = c.exponential_decay_length_penalty
        start = _number(start + prompt_length)
        rules.append(partial(exponential_decay_length_penalty, start=start, factor=float(factor), eos=eos))
    if c.suppress_tokens:
        rules.append(partial(suppress_tokens, tokens=_tokens(c.suppress_tokens)))
    if c.begin_suppress_tokens:
        begin = prompt_length + (prompt_length == 1 and c.forced_bos_token_id is not None)
        if c.forced_decoder_ids:
            begin += c.forced_decoder_ids[-1][0]
        tokens = _tokens(c.begin_suppress_tokens)
        rules.append(partial(begin_suppress_tokens, tokens=tokens, begin=_number(begin)))
    if forced := {position: token for position, token in c.forced_decoder_ids or () if token is not None}:
        positions, tokens = _tokens([*forced]), _tokens([*forced.values()])
        rules.append(partial(forced_decoder_ids, positions=positions, tokens=tokens))
    return rules


def warpers(config):
    """The rules that shape what is sampled from, in the reference's order, without the final `normalize`."""
    c, rules = config, []
    keep = 1
    if c.num_beams > 1:  # beams need one that goes on, whichever ends the text
        keep += len(c.eos_token_id) if isinstance(c.eos_token_id, (list, tuple)) else 1
    if c.temperature not in (None, 1.0):
        rules.append(partial(temperature, temperature=float(c.temperature)))
    if c.top_k:
        rules.append(partial(top_k, top_k=c.top_k, min_tokens_to_keep=keep))
    if c.top_p is not None and c.top_p < 1:
        rules.append(partial(top_p, top_p=float(c.top_p), min_tokens_to_keep=keep))
    if c.min_p is not None:
        rules.append(partial(min_p, min_p=float(c.min_p), min_tokens_to_keep=keep))
    if c.typical_p is not None and c.typical_p < 1:
        rules.append(partial(typical_p, typical_p=float(c.typical_p), min_tokens_to_keep=keep))
    if c.epsilon_cutoff is not None and 0 < c.epsilon_cutoff < 1:
        rules.append(partial(epsilon_cutoff, epsilon=float(c.epsilon_cutoff), min_tokens_to_keep=keep))
    if c.eta_cutoff is not None and 0 < c.eta_cutoff < 1:
        rules.append(partial(eta_cutoff, epsilon=float(c.eta_cutoff), min_tokens_to_keep=keep))
    return rules


def _number(value):
    return np.array(value, "int32")


def _tokens(ids):
    """One token or several -> (N,)."""
    return np.atleast_1d(np.array(ids, "int32"))


def _sequences(sequences):
    """Sequences of tokens -> (N, most tokens), filled up with -1 on the left."""
    rows = np.full((len(sequences), max(map(len, sequences))), -1, "int32")
    for row, sequence in zip(rows, sequences, strict=True):
        row[len(row) - len(sequence) :] = sequence
    return rows


def _source(encoder_ids, option):
    if encoder_ids is None:
        raise ValueError(f"{option} looks at the tokens of the input, and this input has none: unset {option}")
    return np.asarray(encoder_ids, "int32")


# What the rules share


def _best(scores, count):
    """The score of the `count`-th best of each row (R, 1)."""
    best = ops.top_k(scores, min(count, scores.shape[-1]))[0]
    return ops.min(best, axis=-1, keepdims=True)  # a slice, and XLA sorts it all, many times slower


def _forbid(scores, unlikely, best):
    """Forbids the unlikely (R, V), except from the score `best` on."""
    return ops.where(ops.logical_and(unlikely, scores < best), FORBIDDEN, scores)


def _largest(bits, holds):
    """The largest s (R, 1) for which `holds(bits >= s)`, a condition (R, 1) that holds up to some s.

    bits (R, V) are those of floats that are not negative, which are in the floats' order. Where XLA sorts, this is ten
    times faster than to sort the vocabulary.
    """

    def step(_, state):
        found, bit = state
        tried = found + bit
        return ops.where(holds(bits >= tried), tried, found), bit // 2

    found = ops.zeros((bits.shape[0], 1), "int32")
    return ops.fori_loop(0, 31, step, (found, ops.full_like(found, 2**30)))[0]


def _total(probabilities, chosen):
    return ops.sum(ops.where(chosen, probabilities, 0.0), axis=-1, keepdims=True)


def _entropy(logs):
    """Of the distribution with these logarithms (R, V) -> (R, 1); what is impossible adds nothing."""
    probabilities = ops.exp(logs)
    return -ops.sum(ops.where(probabilities > 0, probabilities * logs, 0.0), axis=-1, keepdims=True)


def _so_far(ids, length):
    """ids (R, S) with -1 behind the first `length`."""
    return ops.where(ops.arange(ids.shape[1], dtype="int32") < length, ids, -1)


def _each_row(encoder_ids, scores):
    """encoder_ids (B, T) -> (R, T): a row for each beam."""
    encoder_ids = ops.convert_to_tensor(encoder_ids)
    return ops.repeat(encoder_ids, scores.shape[0] // encoder_ids.shape[0], axis=0)


def _words(ids, scores):
    """Which words of the vocabulary are among ids, bool: (R, T) -> (R, V), or (N,) -> (1, V); no word is negative."""
    ids = ops.convert_to_tensor(ids)
    ids = ids[None] if len(ids.shape) == 1 else ids
    words = scores.shape[1]
    return _scatter(ops.zeros((ids.shape[0], words + 1), "bool"), ids, ops.ones_like(ids, "bool"))[:, :words]


def _scatter(table, ids, updates, reduction=None):
    """Writes updates (R, N) into the columns ids (R, N) of table (R, V + 1), into the last for what is no word."""
    rows, spare = table.shape[0], table.shape[1] - 1
    columns = ops.where(ops.logical_and(ids >= 0, ids < spare), ids, spare)
    row = ops.broadcast_to(ops.arange(rows, dtype="int32")[:, None], ids.shape)
    indices = ops.stack([ops.reshape(row, (-1,)), ops.reshape(columns, (-1,))], axis=1)
    return ops.scatter_update(table, indices, ops.reshape(updates, (-1,)), reduction)


def _penalize(scores, words, penalty):
    return ops.where(words, ops.where(scores < 0, scores * penalty, scores / penalty), scores)


def _forbid_ngrams(scores, known, ids, length, size):
    """Forbids what would complete a sequence of `size` tokens of known (R, T), given the text's last ones."""
    windows = known.shape[1] - size + 1
    if windows <= 0:
        return scores
    completes = ops.ones((scores.shape[0], windows), "bool")
    for i in range(size - 1):
        back = size - 1 - i
        token = ops.take(ids, ops.maximum(length - back, 0), axis=1)[:, None]
        completes = ops.logical_and(completes, ops.logical_and(known[:, i : i + windows] == token, length >= back))
    return ops.where(_words(ops.where(completes, known[:, size - 1 :], -1), scores), FORBIDDEN, scores)


def _only(tokens, scores):
    """Scores that leave no choice but tokens (N,): 0 for these, else forbidden."""
    return ops.where(_words(tokens, scores), ops.zeros_like(scores), FORBIDDEN)

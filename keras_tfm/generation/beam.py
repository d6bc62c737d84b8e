"""Beam search: keeps the K best beginnings of each text, and of those that have ended the best in the end.

Plain, with drawn instead of best tokens (beam sampling), or in groups that are kept apart (diverse beam search,
arXiv:1610.02424). Shapes: B texts, K beams of each, in G groups of M, N tokens that end a text, S tokens that there is
room for, V words.
"""

import functools

import keras
import numpy as np
from keras import ops

from keras_tfm.generation.prompt import buffer, given_inputs, read
from keras_tfm.generation.rules import Rules
from keras_tfm.generation.search import Strategy, draw, next_logits, processed, put

NEVER = -1e9  # the sum of the beams that are not there yet: at first each group has one beginning
NOTHING = -3e38  # of what must not be drawn, unless there is nothing else


class BeamSearch(Strategy):
    """How a state changes with each token. It holds nothing of a single call.

    A state is a dict of ids (B * K, S), their length, the cache, the sums `total` (B, K) of the tokens' logarithmic
    probabilities, the `history` (B * K, S) of the rows that each beam came from, and what is `recorded`, see `Search`.
    Of the best texts that have ended: `best` (B, G, M), their scores, best first, `best_ids` (B, G, M, S), without
    the end, `best_lengths` and `best_history`; and which groups are `done` (B, G), so that nothing better can come.

    Args:
        task: a `Task`, of which it keeps what programs depend on.
    """

    def __init__(self, task):
        c = task.config
        self.model, self.recorded = task.model, task.recorded
        self.beams, self.groups, self.samples = c.num_beams, c.num_beam_groups, c.do_sample
        self.size, self.ends = c.num_beams // c.num_beam_groups, max(1, len(task.ends))
        self.early, self.grows = c.early_stopping, c.length_penalty > 0
        self.rules, self.stops, self.margin = task.rules, Rules(task.stops), task.margin
        self.key = (type(self), self.beams, self.groups, self.ends, self.samples, self.early, self.grows, self.margin)
        self.key += (self.rules.key, self.stops.key, self.recorded)

    def begin(self, task):
        """The first state, and the arguments of `step`."""
        config, prompt, size = task.config, task.prompt, task.size
        prompts = [prompt] if task.negative is None else [prompt, task.negative]
        # All beams of a text have read the same.
        ids = np.concatenate([p.ids for p in prompts])
        given = given_inputs(prompts, size)
        cache = read(self.model, ids[:, :-1], self.model.new_cache(len(ids), size), size, given)
        cache = keras.tree.map_structure(lambda x: ops.repeat(x, self.beams, axis=0), cache)
        texts = prompt.rows
        for p in prompts:
            p.repeat(self.beams)
        arguments = {
            "pad": np.int32(task.pad),
            "eos": task.ends,
            "rules": self.rules.numbers,
            "stops": self.stops.numbers,
            "given": given_inputs(prompts, size),
            "prompt_length": np.int32(prompt.length),
            "until": np.int32(task.until),
            "length_penalty": np.float32(config.length_penalty),
            "diversity": np.float32(config.diversity_penalty),
        }
        if self.samples:
            arguments["chances"] = task.random.random((size, texts, self.candidates), dtype="float32")
        if task.negative is not None:
            arguments["guidance"] = np.float32(config.guidance_scale)
            arguments["negative"] = task.negative.ids[:, -1]
        rows, shape = texts * self.beams, (texts, self.groups, self.size)
        state = {
            "ids": buffer(prompt.ids, size, task.pad),
            "length": np.int32(prompt.length),
            "cache": cache,
            "total": np.tile(np.where(np.arange(self.beams) % self.size, NEVER, 0).astype("float32"), (texts, 1)),
            "history": np.full((rows, size), -1, "int32"),
            "best": np.full(shape, -np.inf, "float32"),
            "best_ids": np.zeros((*shape, size), "int32"),
            "best_lengths": np.zeros(shape, "int32"),
            "best_history": np.full((*shape, size), -1, "int32"),
            "done": np.zeros(shape[:2], "bool"),
            "stopped": np.zeros((), "bool"),
        }
        return state | {n: np.zeros((rows, self.model.config.vocab_size), "float32") for n in self.recorded}, arguments

    @property
    def candidates(self):
        """How many tokens are looked at: so many that, if all possible ends are among them, each beam can go on."""
        return (2 if self.samples else max(2, 1 + self.ends)) * self.size

    def step(self, state, arguments):
        """The state with one token more in each beam."""
        length, ids = state["length"], state["ids"]
        logits, cache = next_logits(self.model, ids, length, state["cache"], arguments)
        scores, grown = [], []
        for group in range(self.groups):
            part = functools.partial(self._part, group=group)
            own = part(ops.log_softmax(logits))  # (B * M, V)
            if group:  # what the groups before have chosen costs, once for each time
                others = ops.concatenate([g["token"] for g in grown], axis=1)
                counts = ops.sum(ops.one_hot(others, own.shape[-1], dtype="float32"), axis=1)
                own = own - arguments["diversity"] * ops.repeat(counts, self.size, axis=0)
            limits = {"allowed": part(arguments["allowed"])} if "allowed" in arguments else {}
            texts = part(ids)[:, self.margin :]
            own = processed(self.rules, own, texts, length - self.margin, arguments | limits)
            scores.append(ops.reshape(own, (-1, self.size, own.shape[-1])))
            grown.append(self._grow(state, arguments, group, scores[-1]))
        row, token = (ops.reshape(ops.concatenate([g.pop(n) for g in grown], axis=1), (-1,)) for n in ("row", "token"))
        read = ops.concatenate([row, ops.shape(row)[0] + row]) if "guidance" in arguments else row
        new = {
            "ids": put(ops.take(ids, row, axis=0), token, length),
            "length": length + 1,
            "cache": keras.tree.map_structure(lambda x: ops.take(x, read, axis=0), cache),
            "history": put(ops.take(state["history"], row, axis=0), row, length),
            "total": ops.concatenate([g.pop("total") for g in grown], axis=1),
            **{name: ops.stack([g[name] for g in grown], axis=1) for name in grown[0]},
        }
        ends = self.stops.any(arguments["stops"], new["ids"][:, self.margin :], length + 1 - self.margin)
        new["stopped"] = ops.logical_or(state["stopped"], ops.all(ends))
        records = {"logits": logits, "scores": ops.reshape(ops.concatenate(scores, axis=1), ops.shape(logits))}
        return new | {name: records[name] for name in self.recorded}

    def _part(self, x, group):
        """The rows of a group: x (B * K, ..) -> (B * M, ..)."""
        texts = ops.reshape(x, (-1, self.beams, x.shape[-1]))[:, group * self.size : (group + 1) * self.size]
        return ops.reshape(texts, (-1, x.shape[-1]))

    def _grow(self, state, arguments, group, scores):
        """One group with one token more, of scores (B, M, V): its part of the next state, and `token` and `row` (B, M),
        what comes next in each beam and the row that it goes on from."""
        words, first = scores.shape[-1], group * self.size
        sums = scores + state["total"][:, first : first + self.size, None]
        sums = ops.reshape(sums, (-1, self.size * words))
        if self.samples:
            values, places = self._draw(sums, ops.take(arguments["chances"], state["length"], axis=0))
        else:
            values, places = ops.top_k(sums, self.candidates)
        beam, token = places // words, places % words  # (B, C), best first
        new_tokens = ops.cast(state["length"] + 1 - arguments["prompt_length"], "float32")
        ends = ops.any(token[..., None] == arguments["eos"], axis=-1)

        # Those that end go to the best if they are among the M first, the M first of the others go on.
        done = state["done"][:, group]  # (B,)
        ranks = ops.arange(self.candidates, 0, -1)
        going = ops.top_k(ops.where(ends, 0, ranks[None]), self.size)[1]
        final = values[:, : self.size] / new_tokens ** arguments["length_penalty"]
        final = ops.where(ops.logical_and(ends[:, : self.size], ops.logical_not(done)[:, None]), final, -np.inf)
        best, kept = ops.top_k(ops.concatenate([state["best"][:, group], final], axis=1), self.size)
        rows = ops.arange(ops.shape(beam)[0])[:, None] * self.beams + first + beam  # (B, C)
        ended = rows[:, : self.size]
        history = ops.take(state["history"], ended, axis=0)
        history = ops.where(ops.arange(history.shape[-1]) == state["length"], ended[..., None], history)
        found = {
            "best_ids": ops.take(state["ids"], ended, axis=0),
            "best_history": history,
            "best_lengths": ops.broadcast_to(state["length"], ops.shape(ended)),
        }

        full = best[:, -1] > -np.inf
        if self.early is not True:  # else M of them are enough
            longest = arguments["until"] - arguments["prompt_length"] if self.early == "never" else None
            tokens = ops.cast(longest, "float32") if longest is not None and self.grows else new_tokens
            hoped = values[:, 0] / tokens ** arguments["length_penalty"]
            full = ops.logical_and(full, best[:, -1] >= hoped)
        pick = functools.partial(ops.take_along_axis, indices=going, axis=1)
        return {
            "token": ops.where(done[:, None], arguments["pad"], pick(token)),
            "row": ops.where(done[:, None], first, pick(rows)),  # any row will do for what is done
            "total": ops.where(done[:, None], 0.0, pick(values)),
            "best": best,
            **{name: _merged(state[name][:, group], x, kept) for name, x in found.items()},
            "done": ops.logical_or(done, full),
        }

    def _draw(self, sums, chances):
        """Different places of sums (B, M * V), drawn by their probabilities, and their values, the best first."""
        left = ops.maximum(sums, NOTHING)
        places = []
        for i in range(self.candidates):
            places.append(draw(left, chances[:, i]))
            left = ops.where(ops.arange(sums.shape[-1]) == places[-1][:, None], NOTHING, left)
        places = ops.stack(places, axis=1)
        values, order = ops.top_k(ops.take_along_axis(sums, places, axis=1), self.candidates)
        return values, ops.take_along_axis(places, order, axis=1)

    def going(self, state):
        """Whether there is anything left to do."""
        return ops.logical_not(ops.logical_or(ops.all(state["done"]), state["stopped"]))

    def texts(self, state, task):
        """The beams so far, a NumPy array (B * K, tokens)."""
        return ops.convert_to_numpy(state["ids"])[:, task.margin : int(state["length"])]

    def stopped(self, state, ends):
        """The state in which the rows `ends` (B * K,) have ended, which counts if all have."""
        return state | {"stopped": ops.logical_or(state["stopped"], ops.all(ends))}

    def result(self, state, task):
        """What `generate` returns of the last state: {name: array}."""
        state = {n: ops.convert_to_numpy(x) for n, x in state.items() if n != "cache"}
        length, prompt, count = int(state["length"]), task.prompt.length, task.config.num_return_sequences
        texts = []
        for text in range(len(state["done"])):
            found = []
            for group in range(self.groups):
                names = ("best", "best_ids", "best_history", "best_lengths")
                its = zip(*(state[name][text, group] for name in names), strict=True)
                its = [(score, ids[:end], rows[: end + 1]) for score, ids, rows, end in its if score > -np.inf]
                if not state["done"][text, group]:  # then what has not ended counts, too
                    for i in range(group * self.size, (group + 1) * self.size):
                        row = text * self.beams + i
                        score = state["total"][text, i] / (length - prompt) ** task.config.length_penalty
                        its.append((score, state["ids"][row, :length], state["history"][row, :length]))
                    its = sorted(its, key=lambda one: -one[0])[: self.size]
                found += its
            texts += sorted(found, key=lambda one: -one[0])[:count]
        return answer(texts, task)


def answer(texts, task):
    """What `generate` returns of the texts [(score, ids, history)]: without their ends, and the rows that they grew
    on."""
    scores, ids, history = zip(*texts, strict=True)
    width, prompt = min(max(map(len, ids)) + 1, task.until), task.prompt.length
    sequences = np.full((len(ids), width), task.pad, "int32")
    origins = np.full((len(ids), width - task.margin), -1, "int32")
    for i, text in enumerate(ids):
        sequences[i, : len(text)] = text
        if len(text) < width and len(task.ends):
            sequences[i, len(text)] = task.ends[0]
        origins[i, : len(history[i]) - prompt] = history[i][prompt:]
    result = {"sequences": sequences[:, task.margin :]}
    if task.config.output_scores:
        result |= {"sequences_scores": np.array(scores, "float32"), "beam_indices": origins}
    return result


def _merged(kept, new, places):
    """Those at places (B, M) of kept (B, M, ..) and new (B, M, ..) behind them."""
    both = ops.concatenate([kept, new], axis=1)
    return ops.take_along_axis(both, ops.reshape(places, (*places.shape, *(1 for _ in both.shape[2:]))), axis=1)

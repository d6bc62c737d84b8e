"""Going on token by token: with the likeliest each time (greedy search), or one drawn by its probability (sampling).

Shapes: R rows, S tokens that there is room for, V words.
"""

import functools

import numpy as np
from keras import ops

from keras_tfm.generation.prompt import buffer, cached_program, given_inputs, read, token_inputs
from keras_tfm.generation.rules import Rules, ended
from keras_tfm.runtime.compiling import loop


class Strategy:
    """How texts go on. `Search` shows what one has; with a `run` of its own it needs only that and `result`."""

    def run(self, task, watching):
        """The last state, and {name: what was recorded with each token}. The program stops at each token only if
        someone is watching."""
        state, arguments = self.begin(task)
        advance = self.program(task)
        records = {name: [] for name in task.recorded}
        if not watching and not records:
            return advance(state, np.int32(task.until), arguments), records
        ids = self.texts(state, task)
        for length in range(task.prompt.length, task.until):
            for watcher in watching:
                arguments |= watcher.before(ids)
            state = advance(state, np.int32(length + 1), arguments)
            if int(state["length"]) == length:  # all had finished
                break
            for name, values in records.items():
                values.append(ops.convert_to_numpy(state[name]))
            ids = self.texts(state, task)
            for watcher in watching:
                if (ends := watcher.after(ids)) is not None:
                    state = self.stopped(state, ends)
        return state, records

    def program(self, task):
        """`advance(state, until, arguments)`: the state when there are so many tokens, or nothing is left to do."""
        return cached_program(task.model, self.key, lambda: loop(task.model, self.step, self.going))


class Search(Strategy):
    """Greedy search or sampling: how a state changes with each token. It holds nothing of a single call.

    A state is a dict of ids (R, S), their length, the cache, which rows have finished (R,), and what is `recorded`:
    the logits or scores (R, V) of the last token.

    Args:
        task: a `Task`, of which it keeps what programs depend on.
    """

    def __init__(self, task):
        self.model, self.rules, self.recorded = task.model, task.rules, task.recorded
        self.stops = Rules([functools.partial(ended, eos=task.ends)] * bool(task.ends.size) + task.stops)
        self.samples, self.margin = task.config.do_sample, task.margin
        self.key = (type(self), self.samples, self.margin, self.rules.key, self.stops.key, self.recorded)

    def begin(self, task):
        """The first state, and the arguments of `step`."""
        config, prompt, size = task.config, task.prompt, task.size
        prompt.repeat(config.num_return_sequences)
        arguments = {"pad": np.int32(task.pad), "rules": self.rules.numbers, "stops": self.stops.numbers}
        prompts = [prompt]
        if self.samples:
            arguments["chances"] = task.random.random((size, prompt.rows), dtype="float32")
        if task.negative is not None:
            task.negative.repeat(config.num_return_sequences)
            prompts.append(task.negative)
            arguments["guidance"] = np.float32(config.guidance_scale)
            arguments["negative"] = task.negative.ids[:, -1]
            arguments["prompt_length"] = np.int32(prompt.length)
        arguments["given"] = given_inputs(prompts, size)
        ids = np.concatenate([p.ids for p in prompts])
        state = {
            "ids": buffer(prompt.ids, size, task.pad),
            "length": np.int32(prompt.length),
            "cache": read(self.model, ids[:, :-1], self.model.new_cache(len(ids), size), size, arguments["given"]),
            "finished": np.zeros(prompt.rows, "bool"),
        }
        shape = prompt.rows, self.model.config.vocab_size
        return state | {name: np.zeros(shape, "float32") for name in self.recorded}, arguments

    def step(self, state, arguments):
        """The state with one token more. What has finished goes on with padding."""
        ids, length = state["ids"], state["length"]
        logits, cache = next_logits(self.model, ids, length, state["cache"], arguments)
        scores = processed(self.rules, logits, ids[:, self.margin :], length - self.margin, arguments)
        if self.samples:
            token = draw(scores, ops.take(arguments["chances"], length, axis=0))
        else:
            token = ops.cast(ops.argmax(scores, axis=-1), "int32")
        ids = put(ids, ops.where(state["finished"], arguments["pad"], token), length)
        stopped = self.stops.any(arguments["stops"], ids[:, self.margin :], length + 1 - self.margin)
        finished = ops.logical_or(state["finished"], stopped)
        new = {"ids": ids, "length": length + 1, "cache": cache, "finished": finished}
        return new | {name: {"logits": logits, "scores": scores}[name] for name in self.recorded}

    def going(self, state):
        """Whether there is anything left to do."""
        return ops.logical_not(ops.all(state["finished"]))

    def texts(self, state, task):
        """The rows so far, a NumPy array (R, tokens)."""
        return ops.convert_to_numpy(state["ids"])[:, task.margin : int(state["length"])]

    def stopped(self, state, ends):
        """The state in which the rows `ends` (R,) have finished, too."""
        return state | {"finished": ops.logical_or(state["finished"], ends)}

    def result(self, state, task):
        """What `generate` returns of the last state: {name: array}."""
        return {"sequences": self.texts(state, task)}


def processed(rules, scores, ids, length, arguments):
    """scores (R, V) after the rules; what prefixes do not allow is left out."""
    scores = rules.apply(arguments["rules"], scores, ids, length)
    return ops.where(arguments["allowed"], scores, -np.inf) if "allowed" in arguments else scores


def next_logits(model, ids, length, cache, arguments):
    """The scores (R, V) of what follows the last token of each row, in float32, and the cache that holds it.

    With guidance (arXiv:2306.17806) the cache has as many rows more, which have read the negative prompts.
    """
    place = length - 1
    token = ops.take(ids, place, axis=1)
    if "guidance" in arguments:
        other = ops.where(place < arguments["prompt_length"], arguments["negative"], token)
        token = ops.concatenate([token, other])
    inputs = token_inputs(model, token[:, None], ops.reshape(place, (1,)), arguments["given"])
    outputs = model(inputs, cache=cache, start=place, training=False)
    return guided(outputs["logits"][:, -1], arguments), outputs["past_key_values"]


def guided(logits, arguments):
    """logits (R, V) in float32; with guidance of R rows more, led away from those of the second half."""
    logits = ops.cast(logits, "float32")
    if "guidance" not in arguments:
        return logits
    wanted, unwanted = ops.split(ops.log_softmax(logits), 2)
    return unwanted + arguments["guidance"] * (wanted - unwanted)


def put(ids, token, place):
    """ids (R, S) with token (R,) at a place."""
    return ops.where(ops.arange(ids.shape[1]) == place, token[:, None], ids)


def draw(scores, chance):
    """A token for each row by the probabilities that scores (R, V) stand for; chance (R,), uniform in 0 .. 1.

    The chances are drawn outside of the program, so that a seed gives the same texts wherever it runs.
    """
    reached = ops.cumsum(ops.softmax(scores), axis=-1)
    chance = ops.minimum(chance, 1 - 1e-6) * reached[:, -1]  # below the last, or nothing would be found
    return ops.cast(ops.sum(reached <= chance[:, None], axis=-1), "int32")

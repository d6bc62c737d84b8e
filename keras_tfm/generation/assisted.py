"""Assisted decoding: several tokens are proposed, and the model reads them at once and says how many are right.

By a smaller model (speculative decoding, arXiv:2211.17192) or by the text itself, where what has been said comes again
(prompt lookup). What comes out is what the model alone would say: greedily the same tokens, sampled the same
distribution. Shapes: S tokens that there is room for, V words, W proposals that there is room for at once, and one
token more; there is one text.
"""

import numpy as np
from keras import ops

from keras_tfm.generation.prompt import buffer, reach, read, token_inputs
from keras_tfm.generation.search import Search, draw, processed, put


class AssistedSearch(Search):
    """Greedy search or sampling, in rounds: what is proposed, as far as it is right, and one token more.

    A state is that of `Search`, with the logits or scores (W, V) of all that is read in a round. Behind the accepted
    tokens the cache holds what the next round overwrites, and nobody looks at places behind one's own.

    Raises:
        ValueError: several texts, options of other searches, or a model whose cache cannot step back.
    """

    def __init__(self, task):
        super().__init__(task)
        config = task.config
        if config.mode not in ("greedy", "sample"):
            raise ValueError(f"assisted decoding is greedy search or sampling, not {config.mode}: unset its options")
        if task.assistant is not None and config.prompt_lookup_num_tokens is not None:
            raise ValueError("assistant_model and prompt_lookup_num_tokens both propose tokens: give one of them")
        if task.prompt.rows > 1 or config.num_return_sequences > 1:
            raise ValueError("assisted decoding goes on with one text: give one prompt, and num_return_sequences=1")
        if task.negative is not None:
            raise ValueError("assisted decoding reads one text, and guidance_scale two: unset one of them")
        for each in filter(None, (task.model, task.assistant)):
            if not each.can_rewind(task.size):
                raise ValueError(
                    f"proposals that are wrong must be forgotten, and the cache of {type(each).__name__} cannot step "
                    f"back in a text of {task.size} tokens: generate without assistance"
                )

    def run(self, task, watching):
        """The last state, and {name: what was recorded with each token}."""
        helper = Lookup(task.config) if task.assistant is None else Draft(task)
        state, arguments = self.begin(task)
        advance, records = self.program(task), {name: [] for name in task.recorded}
        limit, width = reach(task.model, task.size), 0
        while (length := int(state["length"])) < task.until and not ops.any(state["finished"]):
            ids = self.texts(state, task)
            # Few widths, so that few programs are compiled: the next power of two, and never less than before.
            width = min(max(width, 1 << helper.count.bit_length()), limit)
            proposed, scores = helper.propose(ids, min(helper.count, task.until - length - 1), width)
            chances = task.random.random(width + 1, dtype="float32") if self.samples else np.zeros(width + 1, "float32")
            arguments |= {"count": np.int32(len(proposed)), "chances": chances, **scores}
            arguments |= _limits(watching, ids, proposed, width, task)
            state["ids"] = buffer(np.append(ids, proposed[None], axis=1), task.size, task.pad)
            state |= {name: np.zeros((width, task.model.config.vocab_size), "float32") for name in self.recorded}
            state = advance(state, np.int32(length + 1), arguments)
            ids = self.texts(state, task)
            helper.learn(ids.shape[1] - length - 1)
            for end in range(length + 1, ids.shape[1] + 1):
                for name, values in records.items():
                    values.append(ops.convert_to_numpy(state[name])[None, end - length - 1])
                ends = [watcher.after(ids[:, :end]) for watcher in watching]
                if any(e is not None and e.any() for e in ends):
                    state |= {"length": np.int32(end), "finished": np.ones(1, "bool")}
                    break
        return state, records

    def step(self, state, arguments):
        """The state after a round. `count` tokens behind the text are proposals, drawn by the probabilities that the
        scores `proposed` (W, V) stand for, or sure; `chances` (W + 1,) decide on each, and on what follows."""
        ids, length, room = state["ids"], state["length"], state["ids"].shape[1]
        width = arguments["chances"].shape[0] - 1
        logits, cache = self._look(ids, length, width, state["cache"], arguments["given"])

        def process(place):
            limits = {"allowed": ops.take(arguments["allowed"], place, axis=0)[None]} if "allowed" in arguments else {}
            own = ops.take(logits, place, axis=0)[None]
            return processed(self.rules, own, ids, ops.minimum(length + place, room), arguments | limits)[0]

        steps = ops.arange(width, dtype="int32")
        scores = ops.map(process, steps)
        words = scores.shape[1]
        wanted = ops.softmax(scores) if self.samples else ops.one_hot(ops.argmax(scores, axis=-1), words)
        tokens = ops.take(ids[0], ops.minimum(length + steps, room - 1))
        offered = ops.softmax(arguments["proposed"]) if "proposed" in arguments else ops.one_hot(tokens, words)
        offered = ops.where((steps < arguments["count"])[:, None], offered, 0.0)

        accepted, token = judge(wanted, offered, tokens, arguments["chances"])
        ids = put(ids, token, length + accepted)

        def stop(place):
            return self.stops.any(arguments["stops"], ids, ops.minimum(length + 1 + place, room))[0]

        ends = ops.map(stop, steps)
        ends = ops.logical_and(ends, steps <= accepted)
        last = ops.where(ops.any(ends), ops.argmax(ops.cast(ends, "int32")), accepted)
        new = {
            "ids": ids,
            "length": length + 1 + ops.cast(last, "int32"),
            "cache": cache,
            "finished": ops.any(ends)[None],
        }
        return new | {name: {"logits": logits, "scores": scores}[name] for name in self.recorded}

    def _look(self, ids, length, width, cache, given):
        """The scores (W, V) of what follows the last of `length` tokens and those behind it, and the cache. At the end
        of the room the model reads some tokens before them again instead of others behind it."""
        start = ops.minimum(length - 1, reach(self.model, ids.shape[1]) - width)
        steps = ops.arange(width, dtype="int32")
        places = start + steps
        inputs = token_inputs(self.model, ops.take(ids, places, axis=1), places, given)
        outputs = self.model(inputs, cache=cache, start=start, training=False)
        behind = ops.minimum(steps + length - 1 - start, width - 1)
        return ops.cast(ops.take(outputs["logits"][0], behind, axis=0), "float32"), outputs["past_key_values"]


def judge(wanted, offered, tokens, chances):
    """How many of tokens (W,), each drawn by the probabilities offered (W, V), count as drawn by those wanted (W, V),
    and the token (1,) that follows. Where nothing is offered all is 0.

    What is offered too often is refused now and then, and what is drawn in its place was offered too seldom.
    """
    probability, share = (ops.take_along_axis(x, tokens[:, None], axis=1)[:, 0] for x in (wanted, offered))
    right = ops.logical_and(share > 0, chances[:-1] * share < probability)
    accepted = ops.sum(ops.cumprod(ops.cast(right, "int32")))
    left = ops.take(ops.maximum(wanted - offered, 0.0), accepted, axis=0)
    left = ops.where(ops.any(left > 0), left, ops.take(wanted, accepted, axis=0))  # rounding may leave nothing
    return accepted, draw(ops.log(left)[None], chances[-1:])


def _limits(watching, ids, proposed, width, task):
    """What may follow ids (1, T) and, one by one, what is proposed: {"allowed": (W, V)}, or {} if nobody says.

    Nobody is asked about what follows the end of a text, or a token that is not allowed itself.
    """
    allowed = np.ones((width, task.model.config.vocab_size), "bool")
    for place in range(len(proposed) + 1):
        said = {}
        for watcher in watching:
            said |= watcher.before(np.append(ids, proposed[None, :place], axis=1))
        if not said:
            return {}
        allowed[place] = said["allowed"][0]
        token = proposed[place : place + 1]
        if np.isin(token, task.ends).any() or not allowed[place, token].all():
            break
    return {"allowed": allowed}


class Lookup:
    """Proposes what followed when the text's last tokens were there for the first time.

    `count` tokens, where `max_matching_ngram_size` tokens are the same, by default 2, or else fewer.
    """

    def __init__(self, config):
        self.count, self.longest = config.prompt_lookup_num_tokens, config.max_matching_ngram_size or 2

    def propose(self, ids, count, width):
        """At most `count` tokens (N,) that may follow ids (1, T), and no scores of them: {}."""
        text = ids[0]
        for size in range(min(self.longest, len(text) - 1), 0, -1):
            before = np.lib.stride_tricks.sliding_window_view(text[:-1], size)
            found = np.flatnonzero((before == text[-size:]).all(axis=1))
            if len(found):
                start = found[0] + size
                return text[start : start + count], {}
        return text[:0], {}

    def learn(self, accepted):
        pass


class Draft:
    """Proposes what a smaller model of the same vocabulary says.

    `num_assistant_tokens` and `num_assistant_tokens_schedule` are what the call says of them, else what the smaller
    model's own generation configuration says: how many tokens at first, and whether ("heuristic", with every call anew)
    there are two more after a round in which all were right, or one less.

    Raises:
        ValueError: another vocabulary, or another kind of model.
    """

    def __init__(self, task):
        words, its = task.model.config.vocab_size, task.assistant.config.vocab_size
        if words != its:
            raise ValueError(f"assistant_model has {its} words and the model {words}: they must have the same ones")
        names = ("num_assistant_tokens", "num_assistant_tokens_schedule")
        said = {name: value for name, value in task.config.changed.items() if name in names}
        config = task.assistant.generation_config.updated(**said)
        self.count, self.adapts = config.num_assistant_tokens, config.num_assistant_tokens_schedule != "constant"
        self.task = task.of(task.assistant)
        if not np.array_equal(self.task.prompt.ids, task.prompt.ids):
            raise ValueError("assistant_model and model must both be decoders, or both encoder-decoders")
        self.task.recorded = ("scores",) if task.config.do_sample else ()
        self.search = (_Remembering if task.config.do_sample else Search)(self.task)
        self.state, self.arguments = self.search.begin(self.task)
        self.known = self.task.prompt.length - 1  # so many tokens it has read that are right

    def propose(self, ids, count, width):
        """At most `count` tokens (N,) that may follow ids (1, T), and the scores (W, V) that they were drawn by."""
        size, length, state = self.task.size, ids.shape[1], self.state
        model, given = self.task.model, self.arguments["given"]
        state["cache"] = read(model, ids[:, :-1], state["cache"], size, given, min(self.known, length - 1))
        state |= {"ids": buffer(ids, size, self.task.pad), "length": np.int32(length), "finished": np.zeros(1, "bool")}
        if self.task.recorded:
            state["all_scores"] = np.zeros((width, model.config.vocab_size), "float32")
            self.arguments["first"] = np.int32(length)
        self.state = state = self.search.program(self.task)(state, np.int32(length + count), self.arguments)
        found = self.search.texts(state, self.task)[0, length:]
        self.known = length + max(len(found) - 1, 0)
        return found, {"proposed": state["all_scores"]} if self.task.recorded else {}

    def learn(self, accepted):
        """Takes how many were right, and proposes more or fewer the next time."""
        if self.adapts:
            self.count = self.count + 2 if accepted == self.count else max(1, self.count - 1)


class _Remembering(Search):
    """Keeps the scores of all tokens from the place `first` on, `all_scores` (W, V)."""

    def step(self, state, arguments):
        new, place = super().step(state, arguments), state["length"] - arguments["first"]
        here = (ops.arange(state["all_scores"].shape[0]) == place)[:, None]
        return new | {"all_scores": ops.where(here, new["scores"], state["all_scores"])}

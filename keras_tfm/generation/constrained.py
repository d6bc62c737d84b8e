"""Constrained beam search: keeps the best beginnings of each text, and among them those that come nearer to what it
must contain, see constraints.py.

The model reads in one program for each token, the beams are chosen outside of it. Shapes: B texts, K beams of each, S
tokens that there is room for, V words, C candidates of each text, N tokens of the constraints.
"""

import itertools

import keras
import numpy as np
from keras import ops

from keras_tfm.generation.beam import BeamSearch, answer
from keras_tfm.generation.constraints import Progress, constraints_of
from keras_tfm.generation.prompt import cached_program
from keras_tfm.generation.search import next_logits, processed
from keras_tfm.runtime.compiling import loop


class ConstrainedBeamSearch(BeamSearch):
    """How a state changes with each token.

    The program knows of a state the ids (B * K, S), their length, the cache, the `row` (B * K,) of it that each beam
    goes on from, the sums `total` (B, K), what it finds and what is `recorded`: the `values` and `places` (B, C) of the
    best sums, and those of the constraints' tokens, `forced` (B * K, N).

    Outside of it are the `history` (B * K, S), which texts are `done` (B,), whether all have `stopped`, the `progress`
    of each beam, and of each text what has `ended`, the best last: (score, ids, history).
    """

    def __init__(self, task):
        super().__init__(task)
        self.constraints = constraints_of(task.config)
        self.longest = max(c.length for c in self.constraints)
        self.tokens = sorted({token for c in self.constraints for word in c.words for token in word})
        self.known = ("ids", "length", "cache", "row", "total", "values", "places", "forced", *self.recorded)

    def begin(self, task):
        """The first state, and the arguments of `step`."""
        state, arguments = super().begin(task)
        rows, texts = len(state["ids"]), len(state["total"])
        state |= {
            "row": np.arange(rows, dtype="int32"),
            "values": np.zeros((texts, self.candidates), "float32"),
            "places": np.zeros((texts, self.candidates), "int32"),
            "forced": np.zeros((rows, len(self.tokens)), "float32"),
            "done": np.zeros(texts, "bool"),
            "progress": [self._progress(ids) for ids in task.prompt.ids[:, task.margin :]],
            "ended": [[] for _ in range(texts)],
        }
        return state, arguments | {"tokens": np.array(self.tokens, "int32")}

    def _progress(self, ids):
        """What the prompt contains counts, too."""
        progress = Progress(tuple(self.constraints))
        for token in ids.tolist():
            progress = progress.after(token)
        return progress

    def program(self, task):
        look = cached_program(task.model, self.key, lambda: loop(task.model, self.step, lambda state: True))

        def advance(state, until, arguments):
            while state["length"] < until and self.going(state):
                known = {name: state[name] for name in self.known}
                state = state | look(known, np.int32(state["length"] + 1), arguments)
                state |= self._chosen(state, task)
            return state

        return advance

    def step(self, state, arguments):
        """What there is to choose from for one token more."""
        ids, length, row = state["ids"], state["length"], state["row"]
        read = ops.concatenate([row, ops.shape(row)[0] + row]) if "guidance" in arguments else row
        cache = keras.tree.map_structure(lambda x: ops.take(x, read, axis=0), state["cache"])
        logits, cache = next_logits(self.model, ids, length, cache, arguments)
        scores = ops.log_softmax(logits)
        scores = processed(self.rules, scores, ids[:, self.margin :], length - self.margin, arguments)
        sums = scores + ops.reshape(state["total"], (-1, 1))
        values, places = ops.top_k(ops.reshape(sums, (-1, self.beams * sums.shape[-1])), self.candidates)
        found = {"values": values, "places": places, "forced": ops.take(sums, arguments["tokens"], axis=1)}
        records = {name: {"logits": logits, "scores": sums}[name] for name in self.recorded}
        return state | {"length": length + 1, "cache": cache} | found | records

    def _chosen(self, state, task):
        """What changes in a state when the beams are chosen: NumPy arrays."""
        names = ("ids", "values", "places", "forced")
        ids, values, places, forced = (ops.convert_to_numpy(state[name]) for name in names)
        length, done, beams = int(state["length"]) - 1, state["done"].copy(), []
        for text, ended in enumerate(state["ended"]):
            if done[text]:
                beams += [(0.0, task.pad, 0)] * self.beams
                continue
            likeliest = []
            for rank, (value, place) in enumerate(zip(values[text], places[text], strict=True)):
                beam, token = divmod(int(place), self.model.config.vocab_size)
                row = text * self.beams + beam
                if token not in task.ends:
                    likeliest.append((value, token, row))
                elif rank < self.beams and state["progress"][row].complete:
                    self._end(ended, value, ids[row, :length], [*state["history"][row, :length], row], length + 1, task)
                if len(likeliest) == self.beams:
                    break
            beams += self._with_progress(text, likeliest, ids[:, :length].tolist(), forced, state["progress"])
            done[text] = self._nothing_better(ended, values[text, 0], length + 1, task)
        total, token, row = (np.array(x) for x in zip(*beams, strict=True))
        ids, history = ids[row], state["history"][row]
        ids[:, length], history[:, length] = token, row
        shown = ops.convert_to_tensor(ids[:, self.margin :])
        ends = self.stops.any(self.stops.numbers, shown, length + 1 - self.margin)
        return {
            "ids": ids,
            "history": history,
            "row": row.astype("int32"),
            "total": total.astype("float32").reshape(-1, self.beams),
            "done": done,
            "progress": [state["progress"][r].after(int(t)) for r, t in zip(row, token, strict=True)],
            "stopped": ops.logical_or(state["stopped"], ops.all(ends)),
        }

    def _with_progress(self, text, beams, ids, forced, progress):
        """K of the beams [(sum, token, row)] of a text and those that come nearer to its constraints: the best one of
        each bank, those that have come further first, then the second best ones .. ."""
        texts = [[*ids[row], token] for _, token, row in beams]
        states = [progress[row].after(token) for _, token, row in beams]
        beams = [*beams]
        for row in range(text * self.beams, (text + 1) * self.beams):
            tokens = progress[row].next_tokens
            for token, state in zip(tokens, progress[row].branches(tokens), strict=True):
                if (longer := [*ids[row], token]) not in texts:
                    texts.append(longer)
                    states.append(state)
                    beams.append((forced[row, self.tokens.index(token)], token, row))
        if len(beams) == self.beams:  # nothing to rearrange
            return beams
        banks = np.array([state.bank(self.longest) for state in states], "float32")
        order = np.argsort(-(banks * 100 + np.array([value for value, *_ in beams])), kind="stable")
        ranks = [0]
        for before, bank in itertools.pairwise(banks[order]):
            ranks.append(ranks[-1] + 1 if bank == before else 0)
        return [beams[i] for i in order[np.argsort(ranks, kind="stable")][: self.beams]]

    def _end(self, ended, value, ids, history, length, task):
        """Puts a text among the K best that have ended, if it belongs there."""
        score = float(value) / (length - task.prompt.length) ** task.config.length_penalty
        if len(ended) < self.beams or score > ended[0][0]:
            ended.append((score, ids, history))
            ended.sort(key=lambda one: one[0])
            del ended[: -self.beams]

    def _nothing_better(self, ended, value, length, task):
        """Whether K texts have ended, and none that goes on can become better."""
        if len(ended) < self.beams or self.early is True:
            return len(ended) == self.beams
        tokens = (task.until if self.early == "never" and self.grows else length) - task.prompt.length
        return ended[0][0] >= float(value) / tokens**task.config.length_penalty

    def result(self, state, task):
        """What `generate` returns of the last state: {name: array}."""
        length, texts = int(state["length"]), []
        for text, ended in enumerate(state["ended"]):
            if not state["done"][text]:
                rows = range(text * self.beams, (text + 1) * self.beams)
                complete = [row for row in rows if state["progress"][row].complete]
                if len(complete) < task.config.num_return_sequences:  # then it is not to be had
                    complete += [row for row in rows if row not in complete]
                for row in complete:
                    value, ids, history = state["total"].flat[row], state["ids"][row], state["history"][row]
                    self._end(ended, value, ids[:length], history[:length], length, task)
            texts += ended[::-1][: task.config.num_return_sequences]
        return answer(texts, task)

"""Contrastive search: of the likeliest tokens the one that is least like the text so far (arXiv:2202.06417).

Shapes: R rows, K candidates for the next token of each, S tokens that there is room for, V words, D width.
"""

import keras
import numpy as np
from keras import ops

from keras_tfm.generation.prompt import buffer, cached_program, given_inputs, pieces, repeated, token_inputs
from keras_tfm.generation.search import Search, guided, processed, put
from keras_tfm.runtime.compiling import program
from keras_tfm.runtime.memory import write_slice


class ContrastiveSearch(Search):
    """How a state changes with each token: the model reads all candidates, and one of them is kept.

    So the cache holds the last token, too. Besides what `Search` has, a state has the logits of what follows, `next`
    (R, V), and `directions` (R, S, D): the last hidden state of each token, at length 1. Padding, and the places of
    tokens to come, have the one of another token, which changes no maximum.
    """

    def __init__(self, task):
        super().__init__(task)
        self.candidates = min(task.config.top_k, task.model.config.vocab_size)
        self.key += (self.candidates,)

    def begin(self, task):
        """The first state, and the arguments of `step`."""
        config, prompt, size = task.config, task.prompt, task.size
        prompts = [prompt] if task.negative is None else [prompt, task.negative]
        given = given_inputs(prompts, size)
        arguments = {
            "pad": np.int32(task.pad),
            "rules": self.rules.numbers,
            "stops": self.stops.numbers,
            "given": repeated(given, self.candidates),
            "penalty": np.float32(config.penalty_alpha),
        }
        if task.negative is not None:
            arguments["guidance"] = np.float32(config.guidance_scale)
        ids = np.concatenate([p.ids for p in prompts])
        cache, parts = self.model.new_cache(len(ids), size), []
        look = cached_program(self.model, "look", lambda: program(self.model, self._look))
        for start, count, piece in pieces(self.model, ids, size):
            cache, found, logits = look(cache, piece, start, np.int32(count - 1), given)
            parts.append(ops.convert_to_numpy(found)[: prompt.rows, :count])
        directions = np.concatenate(parts, axis=1)
        if prompt.mask is not None:
            directions = np.where(prompt.mask[..., None], directions, directions[:, -1:])
        state = {
            "ids": buffer(prompt.ids, size, task.pad),
            "length": np.int32(prompt.length),
            "cache": cache,
            "finished": np.zeros(prompt.rows, "bool"),
            "next": guided(logits, arguments),
            "directions": np.pad(directions, ((0, 0), (0, size - prompt.length), (0, 0)), mode="edge"),
        }
        shape = prompt.rows, self.model.config.vocab_size
        return state | {name: np.zeros(shape, "float32") for name in self.recorded}, arguments

    def _look(self, cache, ids, start, last, given):
        """The cache that has read ids (R, T) from `start` on, their directions, and the logits (R, V) at the `last`."""
        inputs = token_inputs(self.model, ids, start + ops.arange(ids.shape[1]), given)
        outputs = self.model(inputs, cache=cache, start=start, output_hidden_states=True, training=False)
        states = ops.cast(outputs[f"{self.model.decoder_prefix}hidden_states"][-1], "float32")
        directions = states / ops.norm(states, axis=-1, keepdims=True)
        return outputs["past_key_values"], directions, ops.take(outputs["logits"], last, axis=1)

    def step(self, state, arguments):
        """The state with one token more. What has finished goes on with padding."""
        ids, length, logits, count = state["ids"], state["length"], state["next"], self.candidates
        scores = processed(self.rules, logits, ids[:, self.margin :], length - self.margin, arguments)
        chances, tokens = ops.top_k(ops.softmax(scores), count)  # (R, K)

        candidates = ops.reshape(tokens, (-1, 1))
        if "guidance" in arguments:
            candidates = ops.concatenate([candidates, candidates])
        cache = keras.tree.map_structure(lambda x: ops.repeat(x, count, axis=0), state["cache"])
        cache, directions, following = self._look(cache, candidates, length, 0, arguments["given"])
        following = guided(following, arguments)
        directions = ops.reshape(directions[: following.shape[0], 0], (-1, count, directions.shape[-1]))
        likeness = ops.max(ops.einsum("rsd,rkd->rks", state["directions"], directions), axis=-1)
        penalty = arguments["penalty"]
        choice = ops.argmax((1 - penalty) * chances - penalty * likeness, axis=-1)

        rows = ops.arange(ops.shape(ids)[0]) * count + ops.cast(choice, "int32")
        kept = ops.concatenate([rows, ops.shape(tokens)[0] * count + rows]) if "guidance" in arguments else rows
        token = ops.take(ops.reshape(tokens, (-1,)), rows)
        ids = put(ids, ops.where(state["finished"], arguments["pad"], token), length)
        stopped = self.stops.any(arguments["stops"], ids[:, self.margin :], length + 1 - self.margin)
        direction = ops.take(ops.reshape(directions, (-1, directions.shape[-1])), rows, axis=0)
        new = {
            "ids": ids,
            "length": length + 1,
            "cache": keras.tree.map_structure(lambda x: ops.take(x, kept, axis=0), cache),
            "finished": ops.logical_or(state["finished"], stopped),
            "next": ops.take(following, rows, axis=0),
            "directions": write_slice(state["directions"], direction[:, None], length),
        }
        return new | {name: {"logits": logits, "scores": scores}[name] for name in self.recorded}

"""What a model's layers held while it wrote: hidden states and attentions, token by token.

The texts are read once more, in one piece: programs that write them keep nothing of it.
Shapes: R rows, T tokens of the prompts, S keys, D width, H heads.
"""

import numpy as np
from keras import ops, tree

from keras_tfm.generation.config import STATES
from keras_tfm.generation.prompt import FIXED, given_inputs, token_inputs


def states(task, sequences):
    """{name: a tuple of one entry a new token, each a tuple of one array a layer}, as the options ask for: those of a
    token's step are hidden states (R, 1, D) and attentions (R, H, 1, S), of the first one (R, T, D) and (R, H, T, S).
    Of an encoder also its own, a tuple of one array a layer.
    """
    asked = {name: True for name in STATES if getattr(task.config, name)}
    outputs = task.model(_inputs(task, sequences[:, :-1]), **asked, training=False)
    found = {}
    for name, layers in outputs.items():
        if not name.endswith(("hidden_states", "attentions")):
            continue
        layers = tree.map_structure(ops.convert_to_numpy, layers)
        if not name.startswith("encoder_"):
            layers = _by_token(layers, task.prompt.length - task.margin, sequences.shape[1], name)
        found[name] = layers
    return found


def _inputs(task, ids):
    """The inputs of a model that reads the texts."""
    prompt, model = task.prompt, task.model
    repeats = len(ids) // prompt.rows
    if model.decoder_prefix:
        given = dict(task.inputs) if isinstance(task.inputs, dict) else {"input_ids": task.inputs}
        given = {k: ops.convert_to_numpy(x) for k, x in given.items() if x is not None}
        given = {k: x for k, x in given.items() if not k.startswith(model.decoder_prefix)}
        return {k: np.repeat(x, repeats, 0) for k, x in given.items()} | {f"{model.decoder_prefix}input_ids": ids}
    given = given_inputs([prompt], task.margin + ids.shape[1])
    given = {k: np.repeat(x if k in FIXED else x[:, task.margin :], repeats, 0) for k, x in given.items()}
    return token_inputs(model, ids, np.arange(ids.shape[1], dtype="int32"), given)


def _by_token(layers, prompt, length, name):
    """Each layer's states of whole texts -> those of each step, of which the first one reads the prompt."""
    steps = [slice(0, prompt), *(slice(i, i + 1) for i in range(prompt, length - 1))]
    if name.endswith("hidden_states"):
        return tuple(tuple(x[:, step] for x in layers) for step in steps)
    if name.startswith("cross_"):
        return tuple(tuple(x[:, :, step] for x in layers) for step in steps)
    return tuple(tuple(x[:, :, step, : step.stop] for x in layers) for step in steps)

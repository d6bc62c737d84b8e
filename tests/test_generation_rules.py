"""The rules of generation against the reference's logits processors, one by one and compiled."""

import functools
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_tfm.generation.config import GenerationConfig
from keras_tfm.generation.processors import allowed_tokens, normalize, processors, temperature, top_p, warpers

FOLDER = Path(__file__).parent / "fixtures" / "generation"
FILES = {version: json.loads((FOLDER / f"processors-{version}.json").read_text()) for version in "45"}
CASES = {
    f"{name} ({version})": (version, case) for version, file in FILES.items() for name, case in file["cases"].items()
}
# A case for each set of options; to run all of them operation by operation takes JAX minutes.
EAGER = {frozenset(case["options"]): name for name, (_, case) in reversed(CASES.items())}.values()
ROOM = 13  # tokens that there is room for


def rules_of(case, **options):
    config = GenerationConfig.from_dict(case["options"] | options)
    last = [normalize] if config.renormalize_logits else []
    rules = [*processors(config, case["prompt"], case.get("source")), *last]
    if "allowed" in case:
        rules.append(functools.partial(allowed_tokens, allowed=one_hot(case["allowed"])))
    return rules + ([*warpers(config), *last] if config.do_sample else [])


def one_hot(allowed, words=14):
    return np.array([[word in row for word in range(words)] for row in allowed])


def is_number(value):
    return isinstance(value, (float, np.ndarray))


def numbers_of(rules):
    """What the rules have bound that is an argument of the compiled program."""
    bound = [getattr(rule, "keywords", {}) for rule in rules]
    return [
        {
            name: np.asarray(v, None if v is bool else getattr(v, "dtype", "float32"))
            for name, v in k.items()
            if is_number(v)
        }
        for k in bound
    ]


def apply(rules, numbers, scores, ids, length):
    for rule, own in zip(rules, numbers, strict=True):
        scores = rule(scores, ids, length, **own)
    return scores


def compiled(function, *example):
    """A function of nested lists and dicts of arrays as one program, made for arrays like those of `example`."""
    tensors = functools.partial(keras.tree.map_structure, ops.convert_to_tensor)
    match keras.backend.backend():
        case "jax":
            import jax

            program = jax.jit(function)
        case "tensorflow":
            import tensorflow as tf

            program = tf.function(function, jit_compile=True)
        case "torch":
            from torch.fx.experimental.proxy_tensor import make_fx

            program = make_fx(function, tracing_mode="real")(*tensors(example))
    return lambda *arrays: ops.convert_to_numpy(program(*tensors(arrays)))


def eager(rules, scores, ids, length):
    nothing = [{}] * len(rules)
    return ops.convert_to_numpy(apply(rules, nothing, *map(ops.convert_to_tensor, (scores, ids)), int(length)))


def buffer(ids):
    """ids (R, length) and behind them, in the room that is left, what does not count."""
    ids = np.array(ids, "int32")
    rest = np.random.default_rng(0).choice([-1, 0, 3, 5, 9, 10**6], (len(ids), ROOM - ids.shape[1]))
    return np.concatenate([ids, rest], 1).astype("int32"), np.array(ids.shape[1], "int32")


def close(actual, expected):
    np.testing.assert_allclose(actual, np.array(expected, "float32"), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_computes_what_the_reference_computes(name):
    version, case = CASES[name]
    file, rules = FILES[version], rules_of(case)
    inputs = [
        (np.array(file["scores"][s], "float32"), *buffer(file["ids"][i])) for s in case["scores"] for i in case["ids"]
    ]
    numbers = numbers_of(rules)
    program = compiled(functools.partial(apply, rules), numbers, *inputs[0])
    if name in EAGER:
        close(eager(rules, *inputs[-1]), case["expected"][-1])
    for (scores, ids, length), expected in zip(inputs, case["expected"], strict=True):
        close(program(numbers, scores, ids, length), expected)


OTHER = {
    "temperature": {"temperature": 0.3},
    "top_p": {"top_p": 0.4},
    "typical_p": {"typical_p": 0.5},
    "epsilon_cutoff": {"epsilon_cutoff": 0.2},
    "eta_cutoff": {"eta_cutoff": 0.3},
    "repetition_penalty": {"repetition_penalty": 0.7},
    "encoder_repetition_penalty": {"encoder_repetition_penalty": 0.7},
    "min_length": {"min_length": 20, "eos_token_id": 4},
    "min_new_tokens": {"min_new_tokens": 20},
    "forced_eos": {"max_length": 11},
    "exponential_decay_length_penalty": {"exponential_decay_length_penalty": [3, 1.1]},
    "suppress_tokens": {"suppress_tokens": [1, 2, 4, 5]},
    "begin_suppress_tokens": {"begin_suppress_tokens": [1, 2, 4]},
    "bad_words": {"bad_words_ids": [[8], [9, 5, 1], [5, 2], [4, 5, 3], [9, 9]]},
}


@pytest.mark.parametrize("name", OTHER)
def test_other_numbers_need_no_other_program(name):
    case = FILES["4"]["cases"][name]
    rules, others = rules_of(case), rules_of(case, **OTHER[name])
    scores = np.array(FILES["4"]["scores"]["usual"], "float32")
    text = "prompt" if name == "begin_suppress_tokens" else "long"
    ids, length = buffer(FILES["4"]["ids"][text])
    traced = []

    def bare(numbers, scores, ids, length):
        traced.append(length)
        free = [getattr(rule, "func", rule) for rule in rules]
        fixed = [{k: v for k, v in getattr(rule, "keywords", {}).items() if not is_number(v)} for rule in rules]
        return apply(free, [f | n for f, n in zip(fixed, numbers, strict=True)], scores, ids, length)

    program = compiled(bare, numbers_of(rules), scores, ids, length)
    first = program(numbers_of(rules), scores, ids, length)
    second = program(numbers_of(others), scores, ids, length)
    close(first, case["expected"][case["ids"].index(text)])
    close(second, eager(others, scores, ids, length))
    assert not np.array_equal(first, second)
    assert len(traced) == 1


def test_a_rule_of_ones_own():
    def mute(scores, ids, length, *, word):
        return ops.where(ops.arange(scores.shape[1]) == word, -np.inf, scores)

    rules = [functools.partial(mute, word=1), functools.partial(temperature, temperature=2.0)]
    ids, length = buffer([[1, 2]])
    scores = compiled(functools.partial(apply, rules), numbers_of(rules), np.ones((1, 3), "float32"), ids, length)
    close(scores(numbers_of(rules), np.ones((1, 3), "float32"), ids, length), [[0.5, -np.inf, 0.5]])


def test_a_large_vocabulary():
    """Every word is in the nucleus or not as in a sorted vocabulary."""
    scores = np.random.default_rng(0).normal(0, 3, (2, 50_000)).astype("float32")
    ids, length = buffer([[1], [2]])
    kept = np.isfinite(compiled(functools.partial(top_p, top_p=0.9), scores, ids, length)(scores, ids, length))
    for row, mask in zip(scores.astype("float64"), kept, strict=True):
        likely = np.exp(np.sort(row)[::-1] - row.max())
        count = np.searchsorted(np.cumsum(likely / likely.sum()), 0.9) + 1
        assert abs(mask.sum() - count) <= 1
        assert row[mask].min() > row[~mask].max()


def test_the_prompt_is_needed():
    with pytest.raises(ValueError, match="encoder_repetition_penalty looks at the tokens of the input"):
        processors(GenerationConfig(encoder_repetition_penalty=2.0), 1)

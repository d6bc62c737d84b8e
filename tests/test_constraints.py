"""What constraints refuse, and contrastive and constrained search beyond the reference's fixtures."""

import keras
import numpy as np
import pytest

import keras_tfm as kt

IDS = np.array([[5, 6, 7, 5], [3, 9, 3, 4]])


def seeded(model):
    draw = np.random.default_rng(3)
    for weight in model.weights:
        if len(weight.shape) == 2:  # biases would make all texts alike
            weight.assign(draw.normal(0, 0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def llama():
    sizes = {"vocab_size": 24, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return seeded(kt.LlamaForCausalLM(kt.LlamaConfig(**sizes, intermediate_size=16, eos_token_id=1, pad_token_id=0)))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([], "one or more"),
        ([[]], "one or more"),
        ([[3, -1]], "lists of tokens"),
        ([3, 4], "lists of tokens"),
        (["ab"], "lists of tokens"),
        ([[3, 4], [3]], r"begins with \[3\]"),
        ([[3, 4], [3, 4]], r"begins with \[3, 4\]"),
    ],
    ids=str,
)
def test_constraints_that_nothing_can_meet(tokens, message):
    with pytest.raises(ValueError, match=message):
        kt.DisjunctiveConstraint(tokens)


def test_force_words_ids_are_constraints(llama):
    constraints = [kt.PhrasalConstraint([8, 9]), kt.DisjunctiveConstraint([[11, 2], [11, 12]])]
    options = {"num_beams": 3, "max_new_tokens": 6}
    ids = llama.generate(IDS, constraints=constraints, **options)
    for text in ids[:, 4:].tolist():
        pairs = [*zip(text, text[1:], strict=False)]
        assert (8, 9) in pairs
        assert {(11, 2), (11, 12)} & {*pairs}
    words = {"force_words_ids": [[8, 9], [[11, 2], [11, 12]]]}
    assert llama.generate(IDS, **words, **options).tolist() == ids.tolist()
    mixed = {"constraints": constraints[:1], "force_words_ids": [[[11, 2], [11, 12]]]}
    assert llama.generate(IDS, **mixed, **options).tolist() == ids.tolist()
    assert len(constraints) == 2


def test_constrained_beams_stop_like_others(llama):
    options = {"num_beams": 3, "force_words_ids": [[8]], "max_new_tokens": 6}

    def after_six(ids, length):
        return keras.ops.broadcast_to(length >= 6, (ids.shape[0],))

    ids = llama.generate(IDS, **options, stopping_criteria=[after_six])
    assert ids[:, 6:].tolist() == [[1], [1]]
    new = llama.generate(IDS, **options, prefix_allowed_tokens_fn=lambda row, ids: [8, 10 + row])[:, 4:]
    for row, text in enumerate(new.tolist()):
        assert {8} <= {*text} <= {8, 10 + row}


def test_contrastive_search_of_a_model_without_attention():
    sizes = {"vocab_size": 24, "hidden_size": 16, "num_hidden_layers": 2, "attention_hidden_size": 16}
    model = seeded(kt.RwkvForCausalLM(kt.RwkvConfig(**sizes, eos_token_id=1)))
    ids, penalty = IDS, 0.6

    def read(ids):
        outputs = model({"input_ids": ids}, output_hidden_states=True)
        states = keras.ops.convert_to_numpy(outputs["hidden_states"][-1])
        return keras.ops.convert_to_numpy(outputs["logits"][:, -1]), states / np.linalg.norm(states, axis=-1)[..., None]

    for _ in range(5):
        logits, _ = read(ids)
        chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        best = []
        for row, own in zip(ids, chances, strict=True):
            tokens = np.argsort(-own)[:3]
            _, states = read(np.array([[*row, token] for token in tokens]))
            likeness = np.einsum("ktd,kd->kt", states[:, :-1], states[:, -1]).max(-1)
            best.append(tokens[np.argmax((1 - penalty) * own[tokens] - penalty * likeness)])
        ids = np.concatenate([ids, np.array(best)[:, None]], axis=1)
    options = {"penalty_alpha": penalty, "top_k": 3, "max_new_tokens": 5, "eos_token_id": None}
    assert model.generate(IDS, **options).tolist() == ids.tolist()
    assert model.generate(IDS, **options | {"penalty_alpha": None, "top_k": 50}).tolist() != ids.tolist()


def test_more_candidates_than_words(llama):
    new = llama.generate(IDS, penalty_alpha=0.6, top_k=100, max_new_tokens=3)
    assert new.tolist() == llama.generate(IDS, penalty_alpha=0.6, top_k=24, max_new_tokens=3).tolist()

"""Assisted decoding: what is proposed changes how fast a text comes, and nothing else."""

import keras
import numpy as np
import pytest

import keras_tfm as kt
from keras_tfm.generation.assisted import Draft, Lookup

IDS = np.array([[5, 6, 7, 5, 6]])


def llama(seed, cls=kt.LlamaForCausalLM, **options):
    """A model of few words, whose weights are drawn."""
    sizes = {"vocab_size": 12, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = cls.config_class(**sizes | {"intermediate_size": 8, "eos_token_id": 1, "pad_token_id": 0} | options)
    model, draw = cls(config), np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(draw.normal(0, 0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def model():
    return llama(3)


@pytest.fixture(scope="module")
def drafts():
    return {"right": llama(3), "wrong": llama(4, hidden_size=4)}


@pytest.fixture
def rounds(monkeypatch):
    """How many tokens were asked for in each round."""
    asked = []
    for cls in (Draft, Lookup):

        def propose(self, ids, count, width, original=cls.propose):
            asked.append(count)
            return original(self, ids, count, width)

        monkeypatch.setattr(cls, "propose", propose)
    return asked


def test_a_draft_that_agrees_saves_calls(model, drafts, rounds):
    options = {"max_new_tokens": 20, "eos_token_id": None}
    plain = model.generate(IDS, **options).tolist()
    assert model.generate(IDS, assistant_model=drafts["right"], **options).tolist() == plain
    assert rounds == [5, 7, 5]  # and one token more each time
    rounds.clear()
    constant = {"num_assistant_tokens": 3, "num_assistant_tokens_schedule": "constant"}
    assert model.generate(IDS, assistant_model=drafts["right"], **constant, **options).tolist() == plain
    assert rounds == [3] * 5
    rounds.clear()
    assert model.generate(IDS, assistant_model=drafts["wrong"], **options).tolist() == plain
    assert rounds[:3] == [5, 4, 3]
    assert 5 < len(rounds) <= 20


def test_what_was_said_before_is_looked_up(model, rounds):
    options = {"max_new_tokens": 40, "eos_token_id": None}
    plain = model.generate(IDS, **options).tolist()
    assert model.generate(IDS, prompt_lookup_num_tokens=4, **options).tolist() == plain
    assert len(rounds) < 40
    lookup = Lookup(kt.GenerationConfig(prompt_lookup_num_tokens=3, max_matching_ngram_size=2))
    for text, found in [([1, 2, 3, 4, 1, 2], [3, 4, 1]), ([2, 3, 1, 2, 2], [3, 1, 2]), ([7, 7], [7]), ([7], [])]:
        assert lookup.propose(np.array([text]), 3, 4)[0].tolist() == found


@pytest.mark.parametrize("helper", ["draft", "lookup"])
def test_texts_are_sampled_by_their_probabilities(model, drafts, helper, rounds):
    draft, lookup = drafts["wrong"], kt.GenerationConfig(prompt_lookup_num_tokens=3)
    options = {"do_sample": True, "eos_token_id": None, "temperature": 0.8, "top_k": 0, "seed": 0}
    options |= {"assistant_model": draft} if helper == "draft" else {"prompt_lookup_num_tokens": 3}
    text = model.generate(IDS, max_new_tokens=500, **options)
    assert len(rounds) < 450
    again = [model.generate(IDS, max_new_tokens=20, **options | {"seed": seed}).tolist() for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]

    def chances(model):  # of each word at each new place
        logits = keras.ops.convert_to_numpy(model({"input_ids": text}))[0, 4:-1] / 0.8
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    expected, new = chances(model), text[0, 5:]
    if helper == "draft":
        favoured = chances(draft) > expected
    else:
        found = [Lookup(lookup).propose(text[:, :place], 1, 2)[0] for place in range(5, 505)]
        favoured = np.array([np.isin(np.arange(12), tokens) for tokens in found])
    for words in (favoured, expected == expected.max(axis=1, keepdims=True)):  # (500, 12)
        chance = np.sum(expected * words, axis=1)
        deviation = np.sum(words[np.arange(500), new] - chance)
        assert abs(deviation) < 3 * np.sqrt(np.sum(chance * (1 - chance)))


def test_what_watches_sees_each_token(model, drafts):
    def allowed(row, ids):
        return [len(ids) % 12, (3 * len(ids)) % 12, (5 * len(ids)) % 12] if len(ids) < 15 else [1]

    class Streamer:
        def __init__(self):
            self.seen, self.ended = [], False

        def put(self, ids):
            self.seen += np.ravel(ids).tolist()

        def end(self):
            self.ended = True

    options = {"max_new_tokens": 20, "prefix_allowed_tokens_fn": allowed, "repetition_penalty": 1.4}
    recorded = {"return_dict_in_generate": True, "output_scores": True, "output_logits": True}
    plain = model.generate(IDS, **options, **recorded)
    for helper in ({"assistant_model": drafts["right"]}, {"prompt_lookup_num_tokens": 4}):
        streamer = Streamer()
        outputs = model.generate(IDS, **options, **recorded, **helper, streamer=streamer)
        assert outputs["sequences"].tolist() == plain["sequences"].tolist()
        assert outputs["sequences"].shape[1] == 16
        for name in ("scores", "logits"):
            assert len(outputs[name]) == 11
            np.testing.assert_allclose(np.array(outputs[name]), np.array(plain[name]), rtol=1e-4, atol=1e-4)
        assert streamer.ended
        assert streamer.seen == plain["sequences"][0].tolist()


def test_a_text_ends_within_what_was_proposed(model, drafts):
    class Words:
        def decode(self, ids, **options):
            return " ".join(map(str, ids))

    options = {"max_new_tokens": 20, "eos_token_id": None, "assistant_model": drafts["right"]}
    whole = model.generate(IDS, **options)[0]
    end = int(whole[7])
    first = 5 + whole[5:].tolist().index(end) + 1
    for how in (
        {"stop_strings": [str(end)], "tokenizer": Words()},
        {"eos_token_id": end},
        {"stopping_criteria": [lambda ids, length: ids[:, length - 1] == end]},
    ):
        assert model.generate(IDS, **options | how)[0].tolist() == whole[:first].tolist()
    assert model.generate(IDS, **options, max_time=1e-9).shape == (1, 6)


def test_the_last_places_of_a_table_are_used(rounds):
    config = {"vocab_size": 12, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 18, "initializer_range": 0.5}
    model = kt.GPT2LMHeadModel(kt.GPT2Config(**config, eos_token_id=None))
    plain = model.generate(IDS, max_new_tokens=13)
    assert plain.shape == (1, 18)
    assert model.generate(IDS, max_new_tokens=13, assistant_model=model).tolist() == plain.tolist()
    assert model.generate(IDS, max_new_tokens=13, prompt_lookup_num_tokens=9).tolist() == plain.tolist()


def test_what_cannot_be_assisted_is_refused(model):
    for ids, options, says in [
        (np.repeat(IDS, 2, 0), {}, "one text"),
        (IDS, {"do_sample": True, "num_return_sequences": 2}, "num_return_sequences=1"),
        (IDS, {"num_beams": 2}, "not beam"),
        (IDS, {"guidance_scale": 2.0}, "guidance_scale"),
        (IDS, {"assistant_model": model}, "one of them"),
        (IDS, {"num_assistant_tokens_schedule": "often"}, "heuristic"),
    ]:
        with pytest.raises(ValueError, match=says):
            model.generate(ids, prompt_lookup_num_tokens=3, **options)
    with pytest.raises(ValueError, match="13 words and the model 12"):
        model.generate(IDS, assistant_model=llama(3, vocab_size=13))
    sliding = llama(3, kt.MistralForCausalLM, sliding_window=8, num_key_value_heads=2)
    for target, options in ((sliding, {"prompt_lookup_num_tokens": 3}), (model, {"assistant_model": sliding})):
        with pytest.raises(ValueError, match="MistralForCausalLM cannot step back"):
            target.generate(IDS, max_new_tokens=9, **options)


def test_an_encoder_is_read_by_both(model, rounds):
    sizes = {"vocab_size": 12, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "max_position_embeddings": 40}
    sizes |= {f"{part}_{name}": 2 for part in ("encoder", "decoder") for name in ("attention_heads", "ffn_dim")}
    tokens = {"pad_token_id": 0, "bos_token_id": 3, "eos_token_id": 1, "decoder_start_token_id": 1}
    bart = kt.BartForConditionalGeneration(kt.BartConfig(**sizes, **tokens, forced_eos_token_id=None))
    draw = np.random.default_rng(5)
    for weight in bart.weights:
        weight.assign(draw.normal(0, 0.5, weight.shape))
    options = {"max_new_tokens": 20, "eos_token_id": None}
    plain = bart.generate(IDS, **options).tolist()
    assert bart.generate(IDS, assistant_model=bart, **options).tolist() == plain
    assert rounds == [5, 7, 5]
    assert bart.generate(IDS, prompt_lookup_num_tokens=4, **options).tolist() == plain
    with pytest.raises(ValueError, match="both be decoders"):
        bart.generate(IDS, assistant_model=model, **options)

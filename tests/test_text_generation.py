"""The text-generation pipeline and streaming: how texts are put together from what `generate` returns."""

import functools
import threading

import keras
import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

import keras_tfm as kt

WORDS = ["<pad>", "<end>", "<user>", "<assistant>", *(f"w{i}" for i in range(36))]
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer():
    backend = Backend(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="w0"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.decoder = decoders.Sequence([decoders.Replace("w", " w"), decoders.Fuse()])
    special = {"pad_token": "<pad>", "eos_token": "<end>", "additional_special_tokens": WORDS[2:4]}
    return kt.PreTrainedTokenizerFast(backend, chat_template=TEMPLATE, clean_up_tokenization_spaces=False, **special)


@pytest.fixture(scope="module")
def model():
    sizes = {"vocab_size": len(WORDS), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"eos_token_id": 1, "pad_token_id": 0, "max_position_embeddings": 64}
    model = kt.LlamaForCausalLM(kt.LlamaConfig(**sizes, **ends, intermediate_size=16, initializer_range=0.5))
    draw = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(draw.normal(0, 0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def pipe(model, tokenizer):
    return kt.pipeline("text-generation", model, tokenizer, max_new_tokens=5, batch_size=2)


def continuation(model, tokenizer, prompt, **options):
    ids = np.array([[WORDS.index(word) for word in prompt.split()]])
    return tokenizer.decode(
        model.generate(ids, max_new_tokens=5, **options)[0][ids.shape[1] :], skip_special_tokens=True
    )


def test_prompts_come_back_with_what_follows(pipe, model, tokenizer):
    [answer] = pipe("w1 w2 w3")
    new = continuation(model, tokenizer, "w1 w2 w3")
    assert new.split()
    assert answer == {"generated_text": "w1 w2 w3" + new}
    assert pipe("w1 w2 w3", return_full_text=False) == [{"generated_text": new}]
    assert pipe("w2 w3", prefix="w1 ", return_full_text=False) == [{"generated_text": new}]


def test_a_batch_gives_what_each_prompt_gives_alone(pipe):
    prompts = ["w1 w2 w3", "w7", "w5 w9 w11 w13 w15"]
    assert pipe(prompts) == [pipe(prompt) for prompt in prompts]
    assert list(pipe(iter(prompts))) == pipe(prompts)


def test_several_texts_for_a_prompt(pipe):
    answers = pipe("w1 w2", num_beams=3, num_return_sequences=2)
    assert len(answers) == 2
    assert answers[0] != answers[1]
    drawn = pipe("w1 w2", do_sample=True, num_return_sequences=3, seed=0)
    assert drawn == pipe("w1 w2", do_sample=True, num_return_sequences=3, seed=0)
    assert drawn != pipe("w1 w2", do_sample=True, num_return_sequences=3, seed=1)


def test_conversations_are_answered(pipe, model, tokenizer):
    messages = [{"role": "user", "content": "w1 w2"}]
    new = continuation(model, tokenizer, "<user> w1 w2 <assistant>")
    assert pipe(messages) == [{"generated_text": [*messages, {"role": "assistant", "content": new}]}]
    assert pipe([messages, messages])[1] == pipe(messages)


def test_what_the_configuration_says_of_the_task(model, tokenizer, monkeypatch):
    said = {"text-generation": {"prefix": "w1 ", "max_length": 8, "repetition_penalty": 1.5}}
    monkeypatch.setattr(model.config, "extra", {"task_specific_params": said})
    pipe = kt.pipeline("text-generation", model, tokenizer, return_full_text=False)
    assert pipe("w2 w3") == [{"generated_text": continuation(model, tokenizer, "w1 w2 w3", repetition_penalty=1.5)}]
    assert pipe("w2 w3", prefix="", max_length=7) == [
        {"generated_text": continuation(model, tokenizer, "w2 w3", repetition_penalty=1.5)}
    ]
    assert model.generation_config.repetition_penalty == 1.0


def test_a_token_that_stops_a_text(pipe, model, tokenizer):
    stop, *others = continuation(model, tokenizer, "w1 w2 w3").split()
    assert others
    with pytest.warns(UserWarning, match="the first token of stop_sequence"):
        [answer] = pipe("w1 w2 w3", stop_sequence=f"{stop} w1", return_full_text=False)
    assert answer["generated_text"].split() == [stop]


def test_texts_have_an_end_where_nobody_names_one(tokenizer):
    sizes = {"vocab_size": len(WORDS), "n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 30}
    model = kt.GPT2LMHeadModel(kt.GPT2Config(**sizes, eos_token_id=None, bos_token_id=None))
    pipe = kt.pipeline("text-generation", model, tokenizer, return_full_text=False)
    [answer] = pipe(" ".join(["w4"] * 24))  # longer than the default of max_length
    ids = model.generate(np.full((1, 24), 8), max_new_tokens=6)[0, 24:]
    assert answer["generated_text"] == tokenizer.decode(ids, skip_special_tokens=True)


def test_unknown_options_are_named(pipe):
    with pytest.raises(TypeError, match="max_new_tokens"):
        pipe("w1", max_new_token=3)


def test_a_stream_gives_the_same_text(model, tokenizer):
    streamer = kt.TextIteratorStreamer(tokenizer, skip_prompt=True, timeout=60, skip_special_tokens=True)
    ids = np.array([[5, 6, 7]])
    thread = threading.Thread(target=model.generate, args=(ids,), kwargs={"streamer": streamer, "max_new_tokens": 9})
    thread.start()
    pieces = list(streamer)
    thread.join()
    whole = tokenizer.decode(model.generate(ids, max_new_tokens=9)[0][3:], skip_special_tokens=True)
    assert len(pieces) > 2
    assert "".join(pieces) == whole


def test_strings_stop_a_text(model, tokenizer):
    ids = np.array([[5, 6, 7]])
    whole = model.generate(ids, max_new_tokens=9)[0]
    third = tokenizer.decode(whole[5:6]).strip()
    stopped = model.generate(ids, max_new_tokens=9, stop_strings=[third], tokenizer=tokenizer)[0]
    assert third in tokenizer.decode(stopped[3:])
    assert third not in tokenizer.decode(stopped[3:-1])
    with pytest.raises(ValueError, match="tokenizer="):
        model.generate(ids, stop_strings=["a"])


def test_what_no_model_can_do_is_refused(model):
    ids = np.array([[5, 6, 7]])
    for options, says in [
        ({"max_length": 2}, "max_new_tokens"),
        ({"num_return_sequences": 2}, "num_return_sequences"),
        ({"num_beams": 2, "streamer": object()}, "num_beams=1"),
    ]:
        with pytest.raises(ValueError, match=says):
            model.generate(ids, **options)
    with pytest.raises(ValueError, match="vocabulary"):
        model.generate(np.array([[99]]))
    with pytest.raises(TypeError, match="num_beams"):
        model.generate(ids, num_beam=3)
    sizes = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    encoder = kt.BertLMHeadModel(kt.BertConfig(**sizes, intermediate_size=8))
    with pytest.raises(ValueError, match="decoder"):
        encoder.generate(ids, max_new_tokens=2)
    sizes = {"vocab_size": 9, "n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 8, "eos_token_id": 1}
    pairs = kt.GPT2DoubleHeadsModel(kt.GPT2Config(**sizes))
    with pytest.raises(ValueError, match="GPT2DoubleHeadsModel"):
        pairs.generate(ids, max_new_tokens=2)


def test_a_rule_of_ones_own(model):
    def only_even(scores, ids, length):
        words = keras.ops.arange(scores.shape[-1])
        return keras.ops.where(words % 2 == 0, scores, -1e9)

    def after_three(ids, length):
        return keras.ops.broadcast_to(length >= 6, (ids.shape[0],))

    ids = np.array([[5, 6, 7]])
    new = model.generate(ids, max_new_tokens=9, logits_processor=[only_even], stopping_criteria=[after_three])[0, 3:]
    assert len(new) == 3
    assert not (new % 2).any()
    with pytest.raises(TypeError, match="NumPy arrays"):
        model.generate(ids, logits_processor=[functools.partial(only_even, words=[1])])


def test_zero_may_end_texts_and_pad_them(model):
    ids = np.array([[0, 6, 7]])
    alone = keras.ops.convert_to_numpy(model({"input_ids": ids}))[0, -1].argmax()
    assert model.generate(ids, max_new_tokens=1, eos_token_id=0, pad_token_id=0)[0, 3] == alone
    # Where texts end with another token, the same 0 is padding.
    alone = keras.ops.convert_to_numpy(model({"input_ids": ids[:, 1:]}))[0, -1].argmax()
    assert model.generate(ids, max_new_tokens=1, eos_token_id=1, pad_token_id=0)[0, 3] == alone


def test_prefixes_are_followed(model):
    def allowed(row, ids):
        return [10 + row, 20 + len(ids)]

    ids = np.array([[5, 6, 7], [8, 9, 4]])
    new = model.generate(ids, max_new_tokens=4, prefix_allowed_tokens_fn=allowed)[:, 3:]
    for row, tokens in enumerate(new.tolist()):
        assert all(token in allowed(row, [0] * (3 + i)) for i, token in enumerate(tokens))

"""What models and configurations accept, refuse and promise, whatever the architecture."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_tfm as kt
from keras_tfm.layers.attention import Attention

TINY = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 6,
}
IDS = np.array([[1, 2, 3]])


@pytest.fixture(scope="module")
def model():
    return kt.BertModel(TINY)


def test_variables_are_named_by_their_attributes(model):
    paths = [v.path for v in model.trainable_variables]
    assert "blocks_0/attention/query/kernel" in paths
    assert len(paths) == len(set(paths))


def test_a_model_is_built_at_construction(model):
    assert model.built
    assert model.count_params() == sum(int(np.prod(v.shape)) for v in model.weights) > 0


def test_more_tokens_than_positions(model):
    with pytest.raises(ValueError, match="7 tokens .* 6 rows.*max_length=6"):
        model({"input_ids": np.ones((1, 7), "int32")})


def test_positions_behind_the_padding_have_fewer_rows():
    roberta = kt.RobertaModel(TINY)  # positions begin at 2
    assert roberta({"input_ids": np.full((1, 4), 5)})["last_hidden_state"].shape == (1, 4, 8)
    with pytest.raises(ValueError, match="5 tokens .* 4 rows"):
        roberta({"input_ids": np.full((1, 5), 5)})


def test_inputs_are_a_dict_of_known_names(model):
    with pytest.raises(TypeError, match="one dict of tensors"):
        model(IDS)
    with pytest.raises(ValueError, match="no input attention_masks; it takes input_ids, attention_mask"):
        model({"input_ids": IDS, "attention_masks": IDS})
    with pytest.raises(ValueError, match="exactly one of input_ids and inputs_embeds"):
        model({"attention_mask": IDS})
    with pytest.raises(ValueError, match="not rank 1"):
        model({"input_ids": IDS, "attention_mask": np.ones(3)})


def test_a_cache_that_is_too_short():
    decoder = kt.BertLMHeadModel(TINY | {"is_decoder": True})
    with pytest.raises(ValueError, match="room for 2 tokens, not for 3"):
        decoder({"input_ids": IDS}, cache=decoder.new_cache(1, 2))
    with pytest.raises(ValueError, match="7 tokens are more than"):
        decoder({"input_ids": IDS}, cache=decoder.new_cache(1, 9), start=4)


def test_an_encoder_to_look_at_needs_cross_attention(model):
    context = np.zeros((1, 2, 8), "float32")
    with pytest.raises(ValueError, match="add_cross_attention=True"):
        model({"input_ids": IDS, "encoder_hidden_states": context})
    with pytest.raises(ValueError, match="needs is_decoder=True"):
        kt.BertModel(TINY | {"add_cross_attention": True})


def test_a_backbone_without_pooler_is_made_again_without():
    model = kt.BertModel(TINY, pooler=False)
    again = kt.BertModel.from_config(model.get_config())
    assert [v.path for v in again.weights] == [v.path for v in model.weights]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("hidden_act", "gleu", "unknown activation 'gleu'"),
        ("num_attention_heads", 3, "8 is no multiple of the number of heads 3"),
        ("position_embedding_type", "rotary", "position_embedding_type 'rotary'"),
        ("problem_type", "guessing", "problem_type must be one of"),
        ("hiden_size", 4, "did you mean 'hidden_size'"),
    ],
)
def test_wrong_fields(field, value, message):
    with pytest.raises((ValueError, TypeError), match=message):
        kt.BertModel(TINY | {field: value})


def test_a_config_of_another_kind():
    with pytest.raises(TypeError, match="takes a BertConfig, not int"):
        kt.BertModel(7)


def test_labels():
    config = kt.BertConfig(id2label={"0": "a", "1": "b", "2": "c"})
    assert config.num_labels == 3
    assert config.label2id == {"a": 0, "b": 1, "c": 2}
    config.num_labels = 2
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1"}


def test_grouped_queries_equal_repeated_key_heads():
    x = keras.random.normal((2, 5, 8), seed=1)
    attend = keras.ops.tril(keras.ops.ones((1, 1, 5, 5), "bool"))
    for kv_heads in (1, 2):
        grouped, full = Attention(8, 4, kv_heads), Attention(8, 4)
        for layer in (grouped, full):
            layer(x)
        for name in ("query", "project"):
            getattr(full, name).set_weights(getattr(grouped, name).get_weights())
        for name in ("key", "value"):
            kernel, bias = getattr(grouped, name).get_weights()
            repeated = [np.repeat(w.reshape(-1, kv_heads, 2), 4 // kv_heads, 1) for w in (kernel, bias)]
            getattr(full, name).set_weights([repeated[0].reshape(8, 8), repeated[1].reshape(8)])
        for options in ({}, {"attend": attend}, {"attend": attend, "weights": True}):
            ours, theirs = grouped(x, **options), full(x, **options)
            np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (ours[0], theirs[0])), atol=1e-5)


def test_one_query_of_each_head_equals_the_same_among_others():
    """One token is attended to in another way than several, with biases and masks of each head."""
    keras.utils.set_random_seed(0)
    attention, draw = Attention(width=8, heads=4, kv_heads=2), np.random.default_rng(0)
    x, context = (draw.standard_normal((2, n, 8)).astype("float32") for n in (2, 5))
    relations = {"attend": draw.random((2, 4, 2, 5)) < 0.7, "bias": draw.standard_normal((2, 4, 2, 5))}
    for names in ([], ["attend"], ["bias"], ["attend", "bias"]):
        both = attention(x, context, **{name: relations[name] for name in names})[0]
        one = attention(x[:, :1], context, **{name: relations[name][:, :, :1] for name in names})[0]
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (one, both[:, :1])), atol=1e-6)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")  # of Keras, at each other layer
def test_words_in_int8_score_as_before():
    """Tied word embeddings have a scale for each word, which the scores must heed."""
    model = kt.GPT2LMHeadModel({"vocab_size": 50, "n_embd": 32, "n_head": 2, "n_layer": 1, "n_positions": 8})
    words = model.backbone.embeddings.word.embeddings
    words.assign(np.random.default_rng(0).standard_normal(words.shape) * np.linspace(0.1, 10, 50)[:, None])
    before = keras.ops.convert_to_numpy(model({"input_ids": IDS}))
    model.quantize("int8")
    error = keras.ops.convert_to_numpy(model({"input_ids": IDS})) - before
    assert 0 < np.abs(error).max() < 0.03 * np.abs(before).max()


def test_rows_in_which_nothing_may_be_looked_at_are_uniform_not_nan(model):
    nothing = np.zeros_like(IDS)
    for options in ({}, {"output_attentions": True}):
        outputs = model({"input_ids": IDS, "attention_mask": nothing}, **options)
        assert np.isfinite(keras.ops.convert_to_numpy(outputs["last_hidden_state"])).all()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(outputs["attentions"][0]), 1 / 3, rtol=1e-5)


def run(code, **env):
    return subprocess.run([sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True)


def test_the_import_is_light():
    code = "import sys, keras; before = set(sys.modules); import keras_tfm; print(set(sys.modules) - before)"
    ours = {"keras_tfm", "keras_tfm.runtime", "keras_tfm.runtime.registry"}
    assert {name for name in eval(run(code).stdout) if "editable" not in name} == ours


def test_only_the_chosen_backend_is_imported():
    others = {"jax", "torch", "tensorflow"} - {keras.backend.backend()}
    code = (
        "import sys, keras; before = set(sys.modules)\n"
        "import keras_tfm; keras_tfm.BertModel, keras_tfm.AutoTokenizer, keras_tfm.pipeline\n"
        f"print(({others} | {{'transformers'}}) & (set(sys.modules) - before))"
    )
    assert run(code).stdout.strip().splitlines()[-1] == "set()"


def test_a_backend_that_is_not_installed():
    code = "import sys; sys.modules['jax'] = None; import keras_tfm"
    result = run(code, KERAS_BACKEND="jax")
    assert "ImportError: Keras could not import its backend" in result.stderr
    assert "pip install 'keras-tfm[jax]'" in result.stderr


def test_unknown_public_names():
    with pytest.raises(AttributeError, match="no 'BirtModel'"):
        kt.BirtModel  # noqa: B018
    with pytest.raises(AttributeError, match="no 'pipelime'"):
        kt.pipelime  # noqa: B018

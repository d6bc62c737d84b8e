"""Encoder-decoders of two architectures beyond equal outputs: made of two checkpoints, with shared weights, and what is
said of halves that do not fit."""

import json
import warnings

import keras
import numpy as np
import pytest
from model_fixtures import assert_close, fixture, state, unpacked, write_preset
from safetensors.numpy import load_file, save_file

import keras_tfm as kt

NAME = "EncoderDecoderModel"
BERT = {"model_type": "bert", "vocab_size": 31, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
LOOKS = {"is_decoder": True, "add_cross_attention": True}
ESM, GPT2 = ("esm/rotary", "EsmForMaskedLM"), ("gpt2/base", "GPT2Model")
INPUTS = {"input_ids": np.array([[3, 7, 9]]), "decoder_input_ids": np.array([[5, 4]])}


@pytest.fixture
def shared(tmp_path):
    return write_preset(tmp_path, "encoder_decoder/roberta_shared", NAME)


@pytest.fixture
def halves(tmp_path):
    """The folders of an ESM, with a head, and of a wider GPT-2 without."""
    folders = tmp_path / "esm", tmp_path / "gpt2"
    for folder, case in zip(folders, (ESM, GPT2), strict=True):
        folder.mkdir()
        write_preset(folder, *case)
    return folders


def values(variable):
    return keras.ops.convert_to_numpy(variable)


def made(encoder=None, decoder=None, **fields):
    config = {"encoder": BERT | (encoder or {}), "decoder": BERT | LOOKS | (decoder or {}), **fields}
    return kt.EncoderDecoderModel(kt.EncoderDecoderConfig.from_dict(config))


def rewrite(folder, change):
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})


def test_two_checkpoints_make_a_model(halves, tmp_path):
    fields = {"decoder_start_token_id": 1, "pad_token_id": 0}
    with pytest.warns(UserWarning, match="initialised anew") as seen:
        model = kt.EncoderDecoderModel.from_encoder_decoder_pretrained(*halves, decoder_resid_pdrop=0.0, **fields)
    assert len(seen) == 1
    assert "context_project, decoder.backbone.blocks.0.cross_attention, decoder.back" in str(seen[0].message)
    config = model.config
    assert config.decoder.is_decoder
    assert config.decoder.add_cross_attention
    assert config.decoder.resid_pdrop == 0.0
    assert (config.decoder_start_token_id, config.pad_token_id) == (1, 0)

    words = values(model.encoder.embeddings.word.embeddings)
    np.testing.assert_array_equal(words, state(*ESM)["esm.embeddings.word_embeddings.weight"])
    np.testing.assert_array_equal(values(model.words()), state(*GPT2)["wte.weight"])
    for layer in (model.context_project, model.decoder.backbone.blocks[0].cross_attention.key):
        assert values(layer.kernel).std() > 0.01  # drawn, not left at zero

    model.save_preset(tmp_path / "saved")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reloaded = kt.AutoModelForSeq2SeqLM.from_preset(tmp_path / "saved")
    assert type(reloaded) is type(model)
    assert reloaded.generation_config == model.generation_config
    assert_close(values(reloaded(INPUTS)), values(model(INPUTS)))


def test_options_of_a_half_are_those_of_its_configuration(halves):
    with pytest.raises(TypeError, match="GPT2Config has no field 'n_layers'; did you mean 'n_layer'"):
        kt.EncoderDecoderModel.from_encoder_decoder_pretrained(*halves, decoder_n_layers=1)
    with pytest.raises(TypeError, match="EncoderDecoderConfig has no field 'tie'"):
        kt.EncoderDecoderModel.from_encoder_decoder_pretrained(*halves, tie=True)


def test_halves_of_one_checkpoint_share_their_weights(tmp_path):
    case = "bert/absolute", "BertForPreTraining"
    bert = write_preset(tmp_path, *case)
    with pytest.warns(UserWarning, match="cross_attention"):
        model = kt.EncoderDecoderModel.from_encoder_decoder_pretrained(bert, bert, tie_encoder_decoder=True)
    ours, theirs = model.encoder.blocks[1].mlp.up, model.decoder.backbone.blocks[1].mlp.up
    assert ours.kernel is theirs.kernel
    np.testing.assert_array_equal(values(ours.kernel).T, state(*case)["bert.encoder.layer.1.intermediate.dense.weight"])


def test_shared_weights_are_kept_once(shared, tmp_path):
    model = kt.AutoModel.from_preset(shared)
    stored = state("encoder_decoder/roberta_shared", NAME)
    assert model.count_params() == sum(x.size for x in stored.values())
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.config == model.config
    assert reloaded.count_params() == model.count_params()
    assert_close(values(reloaded(INPUTS)), values(model(INPUTS)))


def test_shared_weights_may_be_stored_twice(shared):
    """As torch's own files have them; and under the names of TensorFlow's time."""
    model = kt.EncoderDecoderModel.from_preset(shared)
    tied = fixture("encoder_decoder/roberta_shared")["classes"][NAME]["tied"]
    assert "decoder.roberta.encoder.layer.0.output.LayerNorm.weight" in tied

    def old(tensors):
        copies = {copy: tensors[name].copy() for copy, name in tied.items()}
        buffers = {f"{name}.embeddings.position_ids": np.arange(24)[None] for name in ("encoder", "decoder.roberta")}
        every = tensors | copies | buffers
        return {name.replace("LayerNorm.weight", "LayerNorm.gamma"): x for name, x in every.items()}

    rewrite(shared, old)
    assert_close(values(kt.EncoderDecoderModel.from_preset(shared)(INPUTS)), values(model(INPUTS)))
    rewrite(shared, lambda tensors: {k: x for k, x in tensors.items() if not k.startswith("encoder.embeddings.word")})
    assert_close(values(kt.EncoderDecoderModel.from_preset(shared)(INPUTS)), values(model(INPUTS)))


def test_errors_name_the_whole_tensor(tmp_path):
    folder = write_preset(tmp_path, "encoder_decoder/bert_gpt2", NAME)
    gone, odd = "decoder.transformer.h.1.crossattention.c_attn.weight", "encoder.encoder.layer.7.output.dense.weight"
    tensors = load_file(folder / "model.safetensors")
    rewrite(folder, lambda _: {odd if name == gone else name: x for name, x in tensors.items()})
    with pytest.raises(ValueError, match=f"Missing tensors: {gone}. Tensors of no layer: {odd}"):
        kt.EncoderDecoderModel.from_preset(folder)
    gone = "enc_to_dec_proj.bias"
    rewrite(folder, lambda _: {"odd" if name == gone else name: x for name, x in tensors.items()})
    with pytest.raises(ValueError, match="Missing tensors: enc_to_dec_proj.bias. Tensors of no layer: odd"):
        kt.EncoderDecoderModel.from_preset(folder)
    rewrite(folder, lambda _: tensors | {gone: np.zeros(7, "float32")})
    with pytest.raises(ValueError, match=r"enc_to_dec_proj.bias is \(7,\), not \(12,\)"):
        kt.EncoderDecoderModel.from_preset(folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"decoder": {"cross_attention_hidden_size": 6}}, "cross_attention_hidden_size is 6, and the encoder's"),
        ({"decoder": {"add_cross_attention": False}}, "add_cross_attention=True"),
        ({"decoder": {"model_type": "llama"}}, "LlamaForCausalLM is no decoder that can look"),
        ({"decoder": {"model_type": "xlm"}}, "XLMWithLMHeadModel is no decoder that can look"),
        ({"decoder": {"model_type": "t5"}}, "t5 has no class for AutoModelForCausalLM"),
        ({"decoder": {"model_type": "bart1"}}, "the decoder has the model_type 'bart1'.* did you mean bart"),
        ({"encoder": {"model_type": "bart"}}, "BartModel is no encoder"),
        ({"decoder": {"vocab_size": 40}, "tie_encoder_decoder": True}, "embeddings.word cannot be the same"),
        ({"decoder": {"intermediate_size": 9}, "tie_encoder_decoder": True}, "blocks.0.mlp.up cannot be the same"),
    ],
)
def test_halves_that_do_not_fit(fields, message):
    with pytest.raises(ValueError, match=message):
        made(**fields)


def test_a_configuration_needs_both_halves():
    with pytest.raises(ValueError, match="encoder and decoder"):
        kt.EncoderDecoderConfig(encoder=BERT)


def test_what_is_stored_of_the_halves_is_written_back(shared):
    stored = json.loads((shared / "config.json").read_text())
    stored["decoder"]["of_later_versions"] = [1]
    (shared / "config.json").write_text(json.dumps(stored))
    config = kt.AutoConfig.from_preset(shared)
    assert config.to_dict()["decoder"] == stored["decoder"]
    config.decoder.hidden_dropout_prob, config.decoder.is_decoder = 0.5, False
    written = config.to_dict()
    assert written["encoder"] == stored["encoder"]
    changed = {k: v for k, v in written["decoder"].items() if stored["decoder"].get(k) != v}
    assert changed == {"hidden_dropout_prob": 0.5}
    assert not kt.EncoderDecoderConfig.from_dict(written).decoder.is_decoder
    config.decoder = kt.GPT2Config(n_embd=12, n_head=2)
    assert config.to_dict()["decoder"] == kt.GPT2Config(n_embd=12, n_head=2).to_dict()


def test_halves_keep_their_own_deviations():
    model = made({"initializer_range": 0.3}, {"initializer_range": 0.01, "hidden_size": 12})
    assert values(model.encoder.embeddings.word.embeddings).std() == pytest.approx(0.3, rel=0.2)
    assert values(model.words()).std() == pytest.approx(0.01, rel=0.2)
    assert values(model.context_project.kernel).std() == pytest.approx(0.02, rel=0.3)


def test_the_decoder_sees_the_labels(tmp_path):
    folder = write_preset(tmp_path, "encoder_decoder/bert_bert", NAME)
    config = kt.AutoConfig.from_preset(folder)
    for half in (config.encoder, config.decoder):
        half.hidden_dropout_prob = half.attention_probs_dropout_prob = 0.0
    model = kt.EncoderDecoderModel.from_preset(folder, encoder=config.encoder, decoder=config.decoder)
    call = next(call for call in fixture("encoder_decoder/bert_bert")["classes"][NAME]["calls"] if "loss" in call)
    inputs = {key: unpacked(value) for key, value in call["inputs"].items() if key != "labels"}
    labels = unpacked(call["labels"]["labels"])
    # XLA on JAX; on TensorFlow tracing the gradients takes longer than the few steps.
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=keras.backend.backend() == "tensorflow")
    history = model.fit(inputs, {"labels": labels}, epochs=2, verbose=0).history
    assert history["loss"][0] == pytest.approx(call["loss"], rel=1e-4)
    assert history["loss"][1] < history["loss"][0]


def test_an_encoder_need_not_run_twice(tmp_path):
    """It may have run before, and so may the layer between the halves and the keys and values of the decoder."""
    model = kt.EncoderDecoderModel.from_preset(write_preset(tmp_path, "encoder_decoder/bert_gpt2", NAME))
    source = {"input_ids": np.array([[3, 7, 9, 0]]), "attention_mask": np.array([[1, 1, 1, 0]])}
    expected = values(model(source | {"decoder_input_ids": INPUTS["decoder_input_ids"]}))
    encoded = source | {"encoder_outputs": model.encoder(source)["last_hidden_state"]}
    for given in (encoded, model.remember(source)):
        assert_close(values(model(given | {"decoder_input_ids": INPUTS["decoder_input_ids"]})), expected)


def test_an_encoder_without_a_mask_meets_no_padding():
    """FNet mixes all tokens: to generate, its texts are not made longer."""
    sizes = {"vocab_size": 31, "hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 16}
    wide = {"initializer_range": 0.5}
    model = made({"model_type": "fnet", **sizes, **wide}, wide, decoder_start_token_id=1)
    given = {"input_ids": INPUTS["input_ids"]}
    found = model.generate(given, max_new_tokens=1, output_scores=True, return_dict_in_generate=True)
    expected = values(model(given | {"decoder_input_ids": np.array([[1]])}))[:, -1]
    assert_close(found["scores"][0], expected)


def test_a_functional_model_around_it(tmp_path):
    model = made()
    symbolic = {name: keras.Input((None,), dtype="int32", name=name) for name in INPUTS}
    scores = keras.Model(symbolic, keras.layers.Softmax()(model(symbolic)))
    scores.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert_close(values(reloaded(INPUTS)), values(keras.ops.softmax(model(INPUTS))))


def test_the_tokenizer_is_the_encoders(shared):
    """Where nobody says which: the halves of old checkpoints do not."""
    (shared / "vocab.json").write_text(json.dumps({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "a": 5}))
    (shared / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = kt.AutoTokenizer.from_preset(shared)
    assert type(tokenizer) is kt.RobertaTokenizer
    assert tokenizer("a")["input_ids"].tolist() == [[0, 5, 2]]

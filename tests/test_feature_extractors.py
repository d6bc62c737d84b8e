"""Feature extractors against the reference's recorded outputs, and `load_audio` against files, servers and damage.

Nothing here depends on the backend.
"""

import http.server
import importlib
import io
import json
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

import keras_tfm as kt
from keras_tfm import processors
from keras_tfm.processors import load_audio, spectrograms

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "oracle"))
from sound_recipe import close, sound, sounds  # noqa: E402

FIXTURES = HERE / "fixtures" / "feature_extractors"


@cache
def fixture(family):
    return json.loads((FIXTURES / f"{family}.json").read_text())


FAMILIES = sorted(path.stem for path in FIXTURES.glob("*.json"))
CASES = [(family, name) for family in FAMILIES for name in fixture(family)["cases"]]


def class_of(family):
    return getattr(processors, fixture(family)["class"])


def called(extractor, case):
    np.random.seed(7)
    given, options = case["sounds"], {**case["options"], "sampling_rate": extractor.sampling_rate}
    if isinstance(given, dict):
        return extractor(**{name: sounds(each) for name, each in given.items()}, **options)
    return extractor(sounds(given), **options)


def same(ours, expected):
    assert set(ours) == set(expected)
    for name, theirs in expected.items():
        close(ours[name], theirs)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_equals_the_reference(family, name):
    case = fixture(family)["cases"][name]
    outputs = called(class_of(family)(**case["config"]), case)
    same(outputs, case["expected"])
    assert {value.dtype.name for value in outputs.values()} <= {"float32", "int32", "bool"}


@pytest.mark.parametrize(("family", "name"), CASES)
def test_has_the_reference_s_configuration(family, name):
    case = fixture(family)["cases"][name]
    assert class_of(family)(**case["config"]).to_dict() == case["saved"]


@pytest.mark.parametrize(("family", "name"), CASES[::4])
def test_reads_and_writes_the_reference_s_json(family, name, tmp_path):
    case = fixture(family)["cases"][name]
    filters = {"mel_filters": [[0.0]]}  # which older files hold
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(case["saved"] | {"unheard_of": [1]} | filters))
    for cls in (class_of(family), kt.AutoFeatureExtractor):
        extractor = cls.from_preset(tmp_path)
        same(called(extractor, case), case["expected"])
    extractor.save_preset(tmp_path / "new")
    assert json.loads((tmp_path / "new/preprocessor_config.json").read_text()) == case["saved"] | {"unheard_of": [1]}


def test_what_follows_from_an_option_follows_it_when_it_changes(tmp_path):
    processors.WhisperFeatureExtractor().save_preset(tmp_path)
    extractor = processors.WhisperFeatureExtractor.from_preset(tmp_path, chunk_length=2)
    assert extractor.to_dict()["n_samples"] == 32000
    assert extractor(sound("voice:900"))["input_features"].shape == (1, 80, 200)


# ---------------------------------------------------------------------- windows, filters, spectrograms

PIECES = json.loads((FIXTURES / "pieces" / "audio_utils.json").read_text())


@pytest.mark.parametrize("each", PIECES["filters"], ids=lambda each: str(each["options"]))
def test_mel_filters(each):
    close(spectrograms.mel_filters(**each["options"]), each["expected"])


@pytest.mark.parametrize("each", PIECES["windows"], ids=lambda each: f"{each['name']}-{each['periodic']}")
def test_windows(each):
    close(spectrograms.window(60, each["name"], each["periodic"]), each["expected"])


@pytest.mark.parametrize("each", PIECES["decibels"], ids=lambda each: str(each["options"]))
def test_decibels(each):
    options = each["options"]
    options = {"reference": options.get("reference", 1.0), "span": options.get("db_range")}
    close(spectrograms.to_decibels(abs(sound("voice:3000")), floor=1e-4, **options), each["expected"])


def test_mels_and_hertz():
    hertz = np.array([0.0, 20, 500, 1000, 3000, 8000])
    for scale in ("htk", "slaney", "kaldi"):
        mels = spectrograms.hertz_to_mel(hertz, scale)
        assert (np.diff(mels) > 0).all()
        np.testing.assert_allclose(spectrograms.mel_to_hertz(mels, scale), hertz, atol=1e-9)
    for wrong in (spectrograms.hertz_to_mel, spectrograms.mel_to_hertz):
        with pytest.raises(ValueError, match="mel scale 'bark' is unknown"):
            wrong(hertz, "bark")
    with pytest.raises(ValueError, match="the window 'flat' is unknown: use one of 'boxcar'"):
        spectrograms.window(5, "flat")
    with pytest.raises(ValueError, match="norm must be 'slaney' or None"):
        spectrograms.mel_filters(129, 20, 0, 8000, 16000, norm="area")
    for wrong in ({"reference": 0}, {"floor": 0}, {"span": -1}):
        with pytest.raises(ValueError, match="must be above 0"):
            spectrograms.to_decibels(np.ones(3), **wrong)


def test_long_sounds_are_transformed_in_blocks(monkeypatch):
    whole = spectrograms.spectra(sound("voice:4000"), spectrograms.window(400), 160)
    monkeypatch.setattr(spectrograms, "BLOCK", 7)
    np.testing.assert_array_equal(spectrograms.spectra(sound("voice:4000"), spectrograms.window(400), 160), whole)


# ---------------------------------------------------------------------- sounds in


def wav2vec2(**options):
    return processors.Wav2Vec2FeatureExtractor(**options)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_no_extractor_takes(family):
    extractor = class_of(family)()
    good, bad = sound("voice:900"), sound("voice:900")
    bad[[3, 5]] = np.nan, np.inf
    for wrong in (bad, [good, bad], bad.tolist()):
        with pytest.raises(ValueError, match=r"2 samples that are no numbers \(NaN or infinite\): np.nan_to_num"):
            extractor(wrong)
    for empty in (np.zeros(0), [good, good[:0]], []):
        with pytest.raises(ValueError, match="is empty: it has no samples"):
            extractor(empty)
    with pytest.raises(ValueError, match=r"44100 samples a second and the model wants \d+: load it with .*load_audio"):
        extractor(good, sampling_rate=44100)
    with pytest.raises(ValueError, match="return NumPy arrays"):
        extractor(good, return_tensors="pt")


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "encodec"])
def test_what_is_no_sound(family):
    extractor = class_of(family)()
    for wrong in ("a.wav", b"RIFF", {"array": [0.0]}, ["a.wav"], [None]):
        with pytest.raises(TypeError, match=r"must be an array or a list of numbers"):
            extractor(wrong)
    if family != "seamless_m4t":
        for stereo in (np.zeros((1, 2, 900)), [np.zeros((2, 900))]):
            with pytest.raises(ValueError, match="one channel"):
                extractor(stereo)


@pytest.mark.parametrize("family", ["speech_to_text", "audio_spectrogram_transformer", "seamless_m4t", "mctct"])
def test_sounds_shorter_than_a_frame(family):
    with pytest.raises(ValueError, match="the sound has 399 samples, fewer than the 400 of a frame"):
        class_of(family)()(sound("voice:399"))
    outputs = class_of(family)()(sound("voice:400"))
    assert np.isfinite(next(iter(outputs.values()))).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_silence_is_sound(family):
    outputs = class_of(family)()(np.zeros(3000, "float32"))
    assert np.isfinite(next(iter(outputs.values()))).all()


@pytest.mark.parametrize("library", ["torch", "tensorflow", "jax.numpy"])
def test_tensors_of_other_libraries(library):
    module = importlib.import_module(library)
    tensor = {"torch": "tensor", "tensorflow": "constant", "jax.numpy": "array"}[library]
    array = sound("voice:500")
    made = getattr(module, tensor)(array)
    for forms in (made, [made]):
        np.testing.assert_array_equal(wav2vec2()(forms)["input_values"], wav2vec2()(array)["input_values"])


def test_sounds_are_left_as_they_were():
    array = sound("voice:900")
    for family in FAMILIES:
        class_of(family)()(array)
        np.testing.assert_array_equal(array, sound("voice:900"))


def test_lengths_that_differ():
    rows = [sound("voice:500"), sound("voice:400")]
    with pytest.raises(ValueError, match="lengths of 400 to 500, but arrays are rectangular: use padding=True"):
        wav2vec2()(rows, padding=False)
    with pytest.raises(ValueError, match="length 500, more than max_length=450: truncation=True"):
        wav2vec2()(rows, padding="max_length", max_length=450)
    for options in ({"padding": "max_length"}, {"truncation": True}):
        with pytest.raises(ValueError, match="needs max_length"):
            wav2vec2()(rows, **options)
    with pytest.raises(ValueError, match="padding='long' is unknown"):
        wav2vec2()(rows, padding="long")


def test_padding_at_the_left():
    """The reference normalises the wrong samples there, and takes away the last."""
    rows = [sound("voice:500"), sound("voice:400")]
    outputs = wav2vec2(padding_side="left")(rows, return_attention_mask=True)
    assert outputs["attention_mask"].tolist() == [[1] * 500, [0] * 100 + [1] * 400]
    alone = wav2vec2()(rows[1])["input_values"][0]
    np.testing.assert_array_equal(outputs["input_values"][1], np.pad(alone, (100, 0)))
    with pytest.raises(ValueError, match="padding_side='top' is unknown"):
        wav2vec2(padding_side="top")(rows)


def test_rows_that_are_padded_later():
    extractor = processors.Speech2TextFeatureExtractor()
    rows = [extractor(sound(name)) for name in ("voice:4000", "voice:2500")]
    apart = [{key: value[0] for key, value in row.items()} for row in rows]
    expected = extractor([sound("voice:4000"), sound("voice:2500")])
    columns = {key: [row[key] for row in apart] for key in apart[0]}
    for form in (apart, columns):
        padded = extractor.pad(form)
        for key, array in expected.items():
            np.testing.assert_array_equal(padded[key], array)
    labelled = wav2vec2().pad([{"input_values": [1.0, 2.0], "labels": 3}, {"input_values": [4.0], "labels": 5}])
    assert labelled["labels"].tolist() == [3, 5]
    assert labelled["input_values"].tolist() == [[1, 2], [4, 0]]
    with pytest.raises(ValueError, match="pad needs input_values, got input_features"):
        wav2vec2().pad(apart[:1] and [{"input_features": [1.0]}])


def test_masks_fit_the_frames():
    """The reference's have one place more where the hop does not divide the length, and are of samples where the
    configuration asks for them."""
    extractor = processors.WhisperFeatureExtractor(return_attention_mask=True)
    outputs = extractor(sound("voice:1000"), padding="longest")
    assert outputs["attention_mask"].shape == (1, outputs["input_features"].shape[2]) == (1, 6)
    seamless = processors.SeamlessM4TFeatureExtractor()(sound("voice:2500"), pad_to_multiple_of=None)
    assert seamless["attention_mask"].shape == seamless["input_features"].shape[:2] == (1, 7)


def test_channels_of_encodec():
    mono, stereo = (processors.EncodecFeatureExtractor(feature_size=size) for size in (1, 2))
    with pytest.raises(ValueError, match=r"sounds of 1 channels are arrays \(n,\).*got the shape \(2, 500\)"):
        mono(sound("stereo:500"))
    for wrong in (sound("voice:500"), np.zeros((3, 500)), sound("stereo:500").T):
        with pytest.raises(ValueError, match=r"sounds of 2 channels are arrays \(2, n\)"):
            stereo(wrong)
    with pytest.raises(ValueError, match="for padding or for truncation, not for both"):
        mono(sound("voice:500"), padding=True, truncation=True)


def test_choices_of_clap():
    clap = processors.ClapFeatureExtractor(max_length_s=1, sampling_rate=4800, hop_length=48, frequency_max=2000)
    long = sound("voice:9000")
    outputs = [clap(long, generator=np.random.RandomState(seed))["input_features"] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()
    for name in ("truncation", "padding"):
        with pytest.raises(ValueError, match=f"{name}='no' is unknown: use one of"):
            clap(long, **{name: "no"})


def test_noise_of_univnet():
    univnet = processors.UnivNetFeatureExtractor(model_in_channels=5)
    outputs = univnet([sound("voice:3000")] * 2, generator=np.random.default_rng(3))
    noise = outputs["noise_sequence"]
    assert noise.shape == (2, outputs["input_features"].shape[1], 5)
    expected = np.random.default_rng(3).standard_normal(noise.shape, dtype="float32")
    np.testing.assert_array_equal(noise, expected)
    decoded = univnet.batch_decode(np.arange(6.0).reshape(2, 3), [3, 2])
    assert [row.tolist() for row in decoded] == [[0, 1, 2], [3, 4]]
    with pytest.raises(ValueError, match="win_length=512 must be the length that is transformed, 1024"):
        processors.UnivNetFeatureExtractor(win_length=512)(sound("voice:3000"))


# ---------------------------------------------------------------------- names and presets


def test_every_architecture_s_extractor_exists():
    for model_type, name in processors.EXTRACTORS.items():
        assert processors.feature_extractor_for(model_type).__name__ == name
    for family in FAMILIES:
        if family != "audio_spectrogram_transformer":
            assert processors.feature_extractor_for(family) is class_of(family)
    assert processors.feature_extractor_for("vit") is None
    assert kt.ASTFeatureExtractor is processors.ASTFeatureExtractor


@pytest.mark.parametrize(
    ("stored", "model_type", "name"),
    [
        ({"feature_extractor_type": "WhisperFeatureExtractor"}, "wav2vec2", "WhisperFeatureExtractor"),
        ({"do_normalize": True}, "hubert", "Wav2Vec2FeatureExtractor"),
        ({}, "wav2vec2-conformer", "Wav2Vec2FeatureExtractor"),
        ({}, "audio-spectrogram-transformer", "ASTFeatureExtractor"),
        ({}, "whisper", "WhisperFeatureExtractor"),
        ({"feature_extractor_type": "ViTFeatureExtractor"}, "vit", "ViTImageProcessor"),
        ({"image_processor_type": "ViTImageProcessor"}, "vit", "ViTImageProcessor"),
        ({}, "swin", "ViTImageProcessor"),
    ],
)
def test_auto_finds_the_class(stored, model_type, name, tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(stored))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    assert type(kt.AutoFeatureExtractor.from_preset(tmp_path)).__name__ == name


def test_auto_reads_the_files_of_newer_versions(tmp_path):
    nested = {"feature_extractor": {"feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 9}}
    (tmp_path / "processor_config.json").write_text(json.dumps(nested))
    assert kt.AutoFeatureExtractor.from_preset(tmp_path).chunk_length == 9


def test_presets_that_tell_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"preprocessor_config\.json"):
        kt.AutoFeatureExtractor.from_preset(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"feature_extractor_type": "MyFeatureExtractor"}')
    with pytest.raises(ValueError, match="'MyFeatureExtractor'"):
        kt.AutoFeatureExtractor.from_preset(tmp_path)
    with pytest.raises(TypeError, match="no option 'do_normalise'; did you mean 'do_normalize'"):
        processors.Wav2Vec2FeatureExtractor.from_preset(tmp_path, do_normalise=False)


# ---------------------------------------------------------------------- load_audio


def file_of(array, form="WAV", rate=16000, **options):
    file = io.BytesIO()
    soundfile.write(file, array, rate, format=form, **options)
    return file.getvalue()


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a sound.wav"
    path.write_bytes(file_of(sound("voice:900"), subtype="FLOAT"))
    return path


def test_loads_from_everywhere(wav):
    array, data = sound("voice:900"), wav.read_bytes()
    forms = [str(wav), wav, data, bytearray(data), memoryview(data), array, array.tolist(), array.astype("float64")]
    forms += [{name: array, "sampling_rate": 16000} for name in ("raw", "array")]
    forms += [{"array": array, "path": "a.wav", "sampling_rate": 16000}]
    for source in forms:
        ours = load_audio(source, 16000)
        assert ours.dtype == "float32"
        np.testing.assert_array_equal(ours, array)
    np.testing.assert_array_equal(load_audio(np.zeros(9), 16000), np.zeros(9))


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_loads_files_of_every_kind(form):
    array = sound("silence:8000")
    array[:] = 0.5 * np.sin(np.arange(8000) / 20)
    ours = load_audio(file_of(array, form), 16000)
    assert abs(ours[: len(array)] - array)[500:-500].max() < 0.05


def test_integers_count_as_pcm():
    exact = np.array([0, 16384, -32768], "int16")
    for array in (exact, exact.astype("int32") * 65536):
        for source in (array, {"raw": array, "sampling_rate": 16000}, file_of(array)):
            assert load_audio(source, 16000).tolist() == [0, 0.5, -1]


def test_channels_of_files_are_averaged():
    both = sound("stereo:900")
    np.testing.assert_allclose(load_audio(file_of(both.T, subtype="FLOAT"), 16000), both.mean(0), rtol=1e-6)
    for source in (both, both.T, {"array": both, "sampling_rate": 16000}):
        with pytest.raises(ValueError, match=r"must have one channel, an array \(n,\): got the shape .*Average its"):
            load_audio(source, 16000)


def test_sound_of_another_rate_is_resampled():
    time = np.arange(48000) / 48000
    tone = np.sin(2 * np.pi * 440 * time)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    for source in (file_of(tone, rate=48000, subtype="FLOAT"), {"raw": tone, "sampling_rate": 48000}):
        ours = load_audio(source, 16000)
        assert ours.dtype == "float32"
        assert ours.shape == (16000,)
        np.testing.assert_allclose(ours[500:-500], expected[500:-500], atol=1e-3)
    assert load_audio({"raw": tone, "sampling_rate": 48000}, 24000).shape == (24000,)
    with pytest.raises(ValueError, match="sampling rates must be above 0: got 0 and 16000"):
        load_audio({"raw": tone, "sampling_rate": 0}, 16000)


def test_what_is_no_sound_is_named(tmp_path, wav):
    text = tmp_path / "notes.wav"
    text.write_text("no sound at all")
    for source in (text, str(text), text.read_bytes()):
        with pytest.raises(ValueError, match="is not a sound that soundfile can read, or it is damaged"):
            load_audio(source, 16000)
    for missing in ("no.wav", tmp_path / "no.wav"):
        with pytest.raises(FileNotFoundError, match=r"no\.wav' is no file and no http\(s\) URL"):
            load_audio(missing, 16000)
    for bad in (3, None):
        with pytest.raises(TypeError, match="a sound is a path, a URL, bytes, an array, or a dict"):
            load_audio(bad, 16000)
    for bad in ({"array": [0.0]}, {"sampling_rate": 16000}):
        with pytest.raises(ValueError, match='in a dict needs "raw" or "array", and "sampling_rate"'):
            load_audio(bad, 16000)
    for bad in (file_of(np.zeros(0)), np.zeros(0), [], {"raw": np.zeros(0), "sampling_rate": 8000}):
        with pytest.raises(ValueError, match="is empty: it has no samples"):
            load_audio(bad, 16000)
    for bad in (file_of(np.full(9, np.nan), subtype="FLOAT"), np.full(9, np.nan)):
        with pytest.raises(ValueError, match="9 samples that are no numbers"):
            load_audio(bad, 16000)


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_truncated_files_are_named(form, part, tmp_path):
    data = file_of(sound("voice:90000"), form)
    path = tmp_path / f"it.{form.lower()}"
    path.write_bytes(data[: int(len(data) * part)])
    for source in (path, path.read_bytes()):
        with pytest.raises(ValueError, match=r"is (truncated|not a sound that soundfile can read, or it is damaged)"):
            load_audio(source, 16000)


def test_files_that_do_not_know_their_length():
    data = bytearray(file_of(sound("voice:900"), subtype="FLOAT"))
    data[4:8] = b"\xff" * 4  # as programs that write to a stream leave it
    np.testing.assert_array_equal(load_audio(data, 16000), sound("voice:900"))


def test_without_packages_the_extra_is_named(wav, monkeypatch):
    array = sound("voice:900")
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(ImportError, match=r"has 8000 samples a second and the model wants 16000.*keras-tfm\[audio\]"):
        load_audio({"raw": array, "sampling_rate": 8000}, 16000)
    assert len(load_audio(wav, 16000)) == 900
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ImportError, match=r"sound files need soundfile .*keras-tfm\[audio\]"):
        load_audio(wav, 16000)
    assert len(load_audio(array, 16000)) == 900


def test_loads_urls(wav):
    data = wav.read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in ("/sound", "/text") else 404)
            self.end_headers()
            self.wfile.write(data if self.path == "/sound" else b"<html>")

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    server = f"http://127.0.0.1:{httpd.server_port}"
    try:
        np.testing.assert_array_equal(load_audio(f"{server}/sound", 16000), sound("voice:900"))
        with pytest.raises(ConnectionError, match=r"/none cannot be fetched \(status 404\)"):
            load_audio(f"{server}/none", 16000)
        with pytest.raises(ValueError, match="/text is not a sound"):
            load_audio(f"{server}/text", 16000)
    finally:
        httpd.shutdown()
        httpd.server_close()

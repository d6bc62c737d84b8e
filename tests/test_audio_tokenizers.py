"""What tokenizers make of the ids that audio models predict, and joint processors of sounds with texts, against the
reference's recorded outputs. (Encoding is tests/test_tokenizer_families.py's.)

Nothing here depends on the backend.
"""

import copy
import json
import pickle
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_tokenizer_families import fixture, write_folder

import keras_tfm as kt
from keras_tfm import processors, tokenizers
from keras_tfm.tokenizers import (
    SpeechT5Tokenizer,
    VitsTokenizer,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2PhonemeCTCTokenizer,
    WhisperTokenizer,
)
from keras_tfm.tokenizers.normalizers import normalize_basic, normalize_english
from keras_tfm.tokenizers.spoken_numbers import to_words

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "oracle"))
import phonemes  # noqa: E402
from sound_recipe import close, sound  # noqa: E402

RECORDED = json.loads((HERE / "fixtures" / "audio_tokenizers.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Family -> the folder of its vocabulary files."""
    root, made = tmp_path_factory.mktemp("families"), {}

    def make(family):
        if family not in made:
            first = next(iter(fixture(family)["variants"]))
            made[family] = write_folder(root / family, family, first, "files")
        return made[family]

    return make


def listed(value):
    """Tuples as lists, which JSON has no others of."""
    if isinstance(value, dict):
        return {key: listed(each) for key, each in value.items()}
    return [listed(each) for each in value] if isinstance(value, list | tuple) else value


def asked(output, options):
    """What the reference returned, without offsets that were not asked for: None, or of nothing both."""
    if not isinstance(output, dict):
        return output
    return {key: value for key, value in output.items() if key == "text" or options.get(f"output_{key}")}


# ---------------------------------------------------------------------- letters

LETTERS = RECORDED["letters"]


@pytest.mark.parametrize("case", LETTERS["decoded"], ids=lambda case: f"{case['family']}-{case['options']}")
def test_letters_of_frames(case, folder):
    tokenizer = Wav2Vec2CTCTokenizer.from_preset(folder(case["family"]), **case["options"])
    for call in case["calls"]:
        ids, expected = call["ids"], asked(call["output"], call["options"])
        assert tokenizer.decode(ids, **call["options"]) == expected, call["options"]
        assert tokenizer.decode(np.array(ids, int), **call["options"]) == expected
    rows, expected = case["batch"]
    options = {"output_word_offsets": True}
    assert tokenizer.batch_decode(rows, **options) == asked(expected, options)
    assert tokenizer.batch_decode(rows) == [tokenizer.decode(row) for row in rows]
    assert tokenizer.batch_decode([]) == []


def test_languages_of_one_file(folder, tmp_path):
    tokenizer = Wav2Vec2CTCTokenizer.from_preset(folder("mms"), target_lang="eng")
    english = tokenizer.encode("a sch")
    tokenizer.set_target_lang("deu")
    switched = LETTERS["switched"]
    assert tokenizer.encode("die straße schsch") == switched["ids"]
    assert tokenizer.decode(switched["ids"], group_tokens=False) == switched["text"]
    assert tokenizer.target_lang == "deu"
    with pytest.raises(ValueError, match="target_lang='xyz' is none of the vocabulary's languages: eng, deu, fra"):
        tokenizer.set_target_lang("xyz")
    assert tokenizer.target_lang == "deu"
    for copied in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        copied.set_target_lang("eng")
        assert copied.encode("a sch") == english
    tokenizer.save_preset(tmp_path)
    saved = Wav2Vec2CTCTokenizer.from_preset(tmp_path)
    assert saved.encode("die straße schsch") == switched["ids"]
    saved.set_target_lang("eng")
    assert saved.encode("a sch") == english
    with pytest.raises(ValueError, match="target_lang=None is none of the vocabulary's languages"):
        Wav2Vec2CTCTokenizer.from_preset(folder("mms"))
    with pytest.raises(ValueError, match="of one language: there is no other target_lang"):
        Wav2Vec2CTCTokenizer.from_preset(folder("wav2vec2")).set_target_lang("eng")


def test_names_of_letters(folder, tmp_path):
    tokenizer = Wav2Vec2CTCTokenizer.from_preset(folder("wav2vec2"))
    assert (tokenizer.word_delimiter_token, tokenizer.word_delimiter_token_id) == ("|", 4)
    assert tokenizers.Wav2Vec2Tokenizer is Wav2Vec2CTCTokenizer
    for stored in ("[1]", '{"a": "b"}', "{}", '{"a": {"b": 1}, "c": 2}'):
        (tmp_path / "vocab.json").write_text(stored)
        with pytest.raises(ValueError, match=r"vocab\.json is damaged"):
            Wav2Vec2CTCTokenizer.from_preset(tmp_path)


# ---------------------------------------------------------------------- phonemes


@pytest.fixture
def phonemizer(monkeypatch):
    for name, module in phonemes.MODULES.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def phoneme_folder(tmp_path):
    vocab = {token: index for index, token in enumerate(RECORDED["phonemes"]["vocab"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    return tmp_path


@pytest.mark.parametrize("case", RECORDED["phonemes"]["tokenizers"], ids=lambda case: str(case["options"]))
def test_phonemes(case, phoneme_folder, phonemizer, tmp_path):
    tokenizer = Wav2Vec2PhonemeCTCTokenizer.from_preset(phoneme_folder, **case["options"])
    tokenizer.save_preset(tmp_path / "saved")
    for each in (tokenizer, Wav2Vec2PhonemeCTCTokenizer.from_preset(tmp_path / "saved"), copy.deepcopy(tokenizer)):
        for call in case["calls"]:
            output = each(**call["call"])
            rows = zip(output["input_ids"].tolist(), output["attention_mask"].sum(1), strict=True)
            assert [row[:size] for row, size in rows] == call["ids"]
        for call in case["decoded"]:
            assert each.decode(call["ids"], **call["options"]) == asked(call["output"], call["options"])
        rows = [call["ids"] for call in case["decoded"][:: len({str(c["options"]) for c in case["decoded"]})]]
        assert each.batch_decode(rows, output_char_offsets=True) == case["batch"]
    assert tokenizer.phonemize("hello") == " ".join("ɛllɔ")
    assert tokenizer.phonemize("tu", "fr") == "t y"
    assert tokenizer.phonemize("tu") == "t ʊ"
    delimiter = case["options"]["word_delimiter_token"]
    assert tokenizer.word_delimiter_token_id == (delimiter and RECORDED["phonemes"]["vocab"].index(delimiter))
    assert tokenizer.phone_delimiter_token == " "
    assert tokenizer.decode([]) == ""


def test_phonemes_need_their_package(phoneme_folder, monkeypatch):
    for name in phonemes.MODULES:
        monkeypatch.setitem(sys.modules, name, None)
    tokenizer = kt.Wav2Vec2PhonemeCTCTokenizer.from_preset(phoneme_folder)
    assert tokenizer.decode([4, 4, 5]) == "n s"
    with pytest.raises(ImportError, match="do_phonemize=False.* needs the package phonemizer: pip install phonemizer"):
        tokenizer("hello")
    assert tokenizer("n s", do_phonemize=False)["input_ids"].tolist() == [[4, 5]]


def test_phonemizer_s_programs(phoneme_folder, phonemizer):
    tokenizer = Wav2Vec2PhonemeCTCTokenizer.from_preset(phoneme_folder, phonemizer_backend="festival")
    with pytest.raises(ValueError, match="phonemizer_backend='festival' is unknown: use one of 'espeak'"):
        tokenizer("hello")
    tokenizer = Wav2Vec2PhonemeCTCTokenizer.from_preset(phoneme_folder)
    phonemes.Backend.made.clear()
    tokenizer(["hello"] * 3, phonemizer_lang="nl")
    assert phonemes.Backend.made == ["nl"]  # it is slow to begin


# ---------------------------------------------------------------------- Whisper

WHISPER = RECORDED["whisper"]


@pytest.fixture
def whisper(folder, tmp_path):
    """Made from its files with the spellings of normalizer.json."""
    for path in folder("whisper").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "normalizer.json").write_text(json.dumps(WHISPER["spellings"]))
    return WhisperTokenizer.from_preset(tmp_path)


def test_transcripts_of_ids(whisper):
    for case in WHISPER["decoded"]:
        expected = case["output"]
        for ids in (case["ids"], np.array(case["ids"], int)):
            assert listed(whisper.decode(ids, **case["options"])) == expected, case
    with pytest.raises(ValueError, match="token id -1 is not in the vocabulary"):
        whisper.decode([-1])


@pytest.mark.parametrize("case", WHISPER["prompts"], ids=lambda case: str(case["options"]))
def test_prompts_of_generation(case, whisper):
    assert listed(whisper.get_decoder_prompt_ids(**case["options"])) == case["ids"]
    assert whisper.prefix_tokens == case["prefix"]
    assert whisper.encode("the cat") == case["encoded"]


def test_options_before_a_text(whisper, tmp_path):
    whisper.set_prefix_tokens(language="de", task="transcribe", predict_timestamps=True)
    encoded = whisper.encode("the cat")
    whisper.save_preset(tmp_path / "saved")
    saved = WhisperTokenizer.from_preset(tmp_path / "saved")
    assert saved.encode("the cat") == encoded
    assert (saved.language, saved.task, saved.predict_timestamps) == ("de", "transcribe", True)
    assert saved.english_spelling_normalizer == WHISPER["spellings"]
    later = WhisperTokenizer.from_preset(tmp_path / "saved", language="spanish")  # over tokenizer.json
    assert later.convert_ids_to_tokens(later.encode("the cat"))[:3] == [
        "<|startoftranscript|>",
        "<|es|>",
        "<|transcribe|>",
    ]
    for options, message in (
        ({"language": "klingon"}, "language='klingon' is unknown: use a code such as 'en'"),
        ({"task": "sing"}, "task='sing' is unknown: use 'transcribe' or 'translate'"),
        ({"language": "french"}, r"lacks <\|fr\|>"),
    ):
        with pytest.raises(ValueError, match=message):
            whisper.set_prefix_tokens(**options)
        assert whisper.encode("the cat") == encoded
        assert whisper.language == "de"


def test_what_was_said_before(whisper):
    ids = whisper.get_prompt_ids(" the cat sat ")
    assert (ids.tolist(), ids.dtype) == (WHISPER["prompt"], "int32")
    with pytest.raises(ValueError, match=r"must not hold the special token <\|en\|>"):
        whisper.get_prompt_ids("the <|en|> cat")


def test_ids_of_times(whisper):
    ids = whisper.timestamp_ids()
    assert len(ids) == 1501
    assert ids[:26] == list(range(whisper.timestamp_begin, whisper.timestamp_begin + 26))


@pytest.mark.parametrize("case", WHISPER["heard"], ids=lambda case: f"{case['name']}-{case['options']}")
def test_stretches_of_sound_are_merged(case, whisper):
    outputs = [{k: v if k == "stride" else np.array(v) for k, v in each.items()} for each in case["outputs"]]
    text, more = whisper.decode_asr(outputs, **case["options"])
    assert (text, listed(more)) == (case["text"], case["more"])


def test_damaged_spellings(whisper, tmp_path):
    (tmp_path / "normalizer.json").write_text("{")
    with pytest.raises(ValueError, match=r"normalizer\.json is damaged"):
        whisper.normalize("a")
    (tmp_path / "normalizer.json").unlink()
    without = WhisperTokenizer.from_preset(tmp_path)
    assert without.normalize("the Colour, organised") == "the colour organised"


# ---------------------------------------------------------------------- texts to compare, numbers to speak


@pytest.mark.parametrize(("text", "expected"), RECORDED["texts"]["english"])
def test_english_texts(text, expected):
    assert normalize_english(text, WHISPER["spellings"]) == expected


@pytest.mark.parametrize(("text", "expected", "without"), RECORDED["texts"]["basic"])
def test_texts_of_any_language(text, expected, without):
    assert normalize_basic(text) == expected
    assert normalize_basic(text, remove_diacritics=True) == without


@pytest.mark.parametrize(("text", "expected"), RECORDED["texts"]["spelled"])
def test_numbers_are_written_out(text, expected):
    assert to_words(text) == expected


def test_numbers_beyond_all_names():
    assert to_words(f"{10**36} 1") == f"{10**36} one"


def test_numbers_of_a_call(folder):
    tokenizer = SpeechT5Tokenizer.from_preset(folder("speecht5"))
    spelled = tokenizer.encode("the two cats")
    assert tokenizer.encode("the 2 cats") != spelled
    assert tokenizer.encode("the 2 cats", normalize=True) == spelled
    assert tokenizer([["the", "2", "cats"]], is_split_into_words=True, normalize=True)["input_ids"].shape[0] == 1
    assert tokenizer.encode("the 2 cats") != spelled
    assert not tokenizer.normalize
    always = SpeechT5Tokenizer.from_preset(folder("speecht5"), normalize=True)
    assert always.encode("the 2 cats") == spelled == always.encode("the two cats", normalize=False)


# ---------------------------------------------------------------------- VITS


def test_phonemes_to_speak(folder, phonemizer, monkeypatch):
    for case in RECORDED["vits"]["phonemes"]:
        tokenizer = VitsTokenizer.from_preset(folder("vits_with_unknown"), **case["options"])
        assert tokenizer.encode("the  Cat sat on path") == case["ids"]
    monkeypatch.setitem(sys.modules, "phonemizer", None)
    with pytest.raises(ImportError, match="phonemize=True needs the package phonemizer"):
        tokenizer("the cat")


def test_characters_of_a_call(folder):
    tokenizer = VitsTokenizer.from_preset(folder("vits"), phonemize=False)
    assert tokenizer.encode("Ab ccA", normalize=False) == RECORDED["vits"]["not normalized"]


def test_letters_that_are_not_latin(folder, monkeypatch):
    tokenizer = VitsTokenizer.from_preset(folder("vits"), phonemize=False, is_uroman=True)
    vits = sys.modules["keras_tfm.tokenizers.vits"]
    vits.romanizer.cache_clear()
    monkeypatch.setitem(sys.modules, "uroman", None)
    with pytest.warns(UserWarning, match="reads Latin letters and the text has others.*pip install uroman"):
        assert tokenizer.decode(tokenizer.encode("привет a")) == "a"
    package = SimpleNamespace(
        Uroman=lambda: SimpleNamespace(romanize_string=lambda text: text.replace("привет", "privet"))
    )
    monkeypatch.setitem(sys.modules, "uroman", package)
    assert tokenizer.decode(tokenizer.encode("привет a")) == "privet a"
    vits.romanizer.cache_clear()


# ---------------------------------------------------------------------- joint processors


@pytest.mark.parametrize("name", RECORDED["processors"])
def test_sounds_with_texts(name, folder, tmp_path):
    case = RECORDED["processors"][name]
    for path in folder(case["family"]).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(case["stored"]))
    assert case["stored"]["processor_class"] == case["named"] == name
    if name == "Wav2Vec2Processor":  # whose tokenizer is of any class
        (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "Wav2Vec2CTCTokenizer"}')
    loaded = kt.AutoProcessor.from_preset(tmp_path)
    assert type(loaded) is getattr(kt, name)
    loaded.save_preset(tmp_path / "saved")
    assert json.loads((tmp_path / "saved/preprocessor_config.json").read_text()) == case["stored"]
    assert json.loads((tmp_path / "saved/tokenizer_config.json").read_text())["processor_class"] == name
    for processor in (loaded, kt.AutoProcessor.from_preset(tmp_path / "saved")):
        for call in case["calls"]:
            np.random.seed(7)
            given = {key: sound("voice:3000") if value == 1 else value for key, value in call["call"].items()}
            rate = {"sampling_rate": processor.feature_extractor.sampling_rate}
            outputs = processor(**given, **rate)
            if "audios" in given and "text" in given:
                outputs.pop("is_longer")  # the reference forgets it
            assert set(outputs) == set(call["output"])
            for key, expected in call["output"].items():
                close(outputs[key], expected)


def wav2vec2(folder):
    return processors.Wav2Vec2Processor(
        processors.Wav2Vec2FeatureExtractor(), Wav2Vec2CTCTokenizer.from_preset(folder("wav2vec2"))
    )


def test_options_go_where_they_are_known(folder):
    processor = wav2vec2(folder)
    both = processor([sound("voice:500"), sound("voice:400")], ["THE CAT", "A"], padding="longest", sampling_rate=16000)
    assert both["input_values"].shape == (2, 500)
    assert both["labels"].shape == (2, 6)
    only = processor(text="THE CAT", sampling_rate=16000, add_special_tokens=False)
    assert set(only) == {"input_ids", "attention_mask"}
    with pytest.raises(TypeError, match="have an option 'paddin'; did you mean 'padding'"):
        processor(sound("voice:500"), paddin=True)
    with pytest.raises(ValueError, match="pass audio, text or both"):
        processor()
    assert processor.decode(only["input_ids"][0]) == "THE CAT"
    assert processor.batch_decode(only["input_ids"]) == ["THE CAT"]


def test_rows_that_are_padded_later(folder):
    processor = wav2vec2(folder)
    rows = [{"input_values": [1.0, 2.0, 3.0]}, {"input_values": [4.0]}]
    labels = [{"input_ids": [5, 6]}, {"input_ids": [7]}]
    padded = processor.pad(rows, labels)
    assert padded["input_values"].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert padded["labels"].tolist() == [[5, 6], [7, 0]]
    assert set(processor.pad(labels=labels)) == {"input_ids", "attention_mask"}
    assert set(processor.pad(rows)) == {"input_values"}
    with pytest.raises(ValueError, match="pass input_features, labels or both"):
        processor.pad()


def test_rows_of_speech_that_are_padded_later(folder):
    tokenizer = SpeechT5Tokenizer.from_preset(folder("speecht5"))
    processor = processors.SpeechT5Processor(processors.SpeechT5FeatureExtractor(), tokenizer)
    ids, spoken = [{"input_ids": [5, 6]}, {"input_ids": [7]}], [{"input_values": np.ones((3, 80))}] * 2
    padded = processor.pad(input_ids=ids, labels=spoken)
    assert padded["input_ids"].tolist() == [[5, 6], [7, 1]]
    assert padded["labels"].shape == (2, 3, 80)
    assert padded["decoder_attention_mask"].tolist() == [[1] * 3] * 2
    padded = processor.pad(input_values=[{"input_values": [0.5]}] * 2, labels=ids)
    assert padded["labels"].tolist() == [[5, 6], [7, 1]]
    assert processor.pad(labels=ids)["input_ids"].shape == (2, 2)
    for call, message in (
        ({}, "pass input_values, input_ids or labels"),
        ({"input_values": spoken, "input_ids": ids}, "not both"),
    ):
        with pytest.raises(ValueError, match=message):
            processor.pad(**call)
    for call, message in (
        ({}, "pass audio, text, audio_target or text_target"),
        ({"audio": [0.1], "text": "a"}, "not two of a pair"),
        ({"audio_target": [0.1], "text_target": "a"}, "not two of a pair"),
    ):
        with pytest.raises(ValueError, match=message):
            processor(**call)


def test_options_of_a_preset_go_where_they_are_known(folder, tmp_path):
    for path in folder("mms").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    processors.Wav2Vec2FeatureExtractor().save_preset(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "wav2vec2"}')
    processor = kt.AutoProcessor.from_preset(tmp_path, target_lang="fra", do_normalize=False, local_files_only=True)
    assert processor.tokenizer.target_lang == "fra"
    assert not processor.feature_extractor.do_normalize


def test_padding_of_clap_is_that_of_the_texts(folder):
    clap = processors.ClapFeatureExtractor(max_length_s=1, sampling_rate=4800, frequency_max=2000)
    processor = processors.ClapProcessor(clap, tokenizers.RobertaTokenizer.from_preset(folder("roberta")))
    np.random.seed(7)
    outputs = processor(text=["the cat", "a"], audios=sound("voice:900"), padding=True)
    np.random.seed(7)
    np.testing.assert_array_equal(outputs["input_features"], clap(sound("voice:900"))["input_features"])
    padded = processor(audios=sound("voice:900"), padding="pad")["input_features"]
    assert (padded != outputs["input_features"]).any()
    with pytest.raises(ValueError, match="pass text, audios or both"):
        processor()


# ---------------------------------------------------------------------- a language model

BEAMS = RECORDED["beams"]


class Decoder:
    """In the place of pyctcdecode's, whose alphabet it has: it finds what that one found, as it was recorded."""

    def __init__(self, call=None, labels=BEAMS["labels"]):
        self.call, self.reset = call, []
        self._alphabet = SimpleNamespace(labels=labels)

    @classmethod
    def load_from_dir(cls, folder):
        assert sorted(path.name for path in (Path(folder) / "language_model").iterdir()) == ["attrs.json"]
        return cls(labels=json.loads((Path(folder) / "alphabet.json").read_text())["labels"])

    def save_to_dir(self, folder):
        (Path(folder) / "alphabet.json").write_text(json.dumps({"labels": self._alphabet.labels}))
        (Path(folder) / "language_model").mkdir()
        (Path(folder) / "language_model" / "attrs.json").write_text("{}")

    def reset_params(self, **weights):
        self.reset.append(weights)

    def decode_beams(self, logits, **search):
        assert search.items() <= self.call["search"].items()
        return self.call["beams"][len(logits) < 24]


@pytest.fixture
def pyctcdecode(monkeypatch):
    """The package, as far as it is used besides its decoder."""
    patterns = {"BLANK_TOKEN_PTN": re.compile(r"^[<\[]pad[>\]]$"), "UNK_TOKEN_PTN": re.compile(r"^[<\[]unk[>\]]$")}
    monkeypatch.setitem(sys.modules, "pyctcdecode", SimpleNamespace(BeamSearchDecoderCTC=Decoder))
    monkeypatch.setitem(sys.modules, "pyctcdecode.alphabet", SimpleNamespace(**patterns, UNK_TOKEN="\u2047"))


def with_model(folder, *arguments, **options):
    parts = wav2vec2(folder)
    return kt.Wav2Vec2ProcessorWithLM(parts.feature_extractor, parts.tokenizer, Decoder(*arguments, **options))


@pytest.mark.parametrize("case", BEAMS["calls"], ids=lambda case: str(case["options"]))
def test_texts_of_logits(case, folder, pyctcdecode):
    processor, options = with_model(folder, case), case["options"]
    rows = np.zeros((2, 24, 33), "float32")
    rows[1, 20:] = -100
    for row, expected in zip((rows[0], rows[1, :20]), case["outputs"], strict=True):
        outputs = processor.decode(row, **options)
        assert outputs == {key: value for key, value in expected.items() if value is not None}
    assert processor.batch_decode(rows, **options) == {k: v for k, v in case["batch"].items() if v is not None}
    assert processor.batch_decode([]) == {}
    weights = {name: options.get(name) for name in ("alpha", "beta", "unk_score_offset", "lm_score_boundary")}
    assert processor.decoder.reset == [weights] * 4


def test_presets_with_a_language_model(folder, pyctcdecode, tmp_path):
    with_model(folder).save_preset(tmp_path)
    processor = kt.AutoProcessor.from_preset(tmp_path, alpha=0.5, do_normalize=False)
    assert type(processor) is processors.Wav2Vec2ProcessorWithLM
    assert processor.decoder.reset == [
        {"alpha": 0.5, "beta": None, "unk_score_offset": None, "lm_score_boundary": None}
    ]
    assert not processor.feature_extractor.do_normalize
    assert processor(text="THE CAT")["input_ids"].shape == (1, 6)
    with pytest.raises(TypeError, match="decode has no option 'beams'; it has beam_width"):
        processor.decode(np.zeros((3, 33)), beams=3)
    with pytest.raises(ValueError, match="alphabet lacks X, Z, which the tokenizer has"):
        with_model(folder, labels=[label for label in BEAMS["labels"] if label not in "XZ" or not label])
    (tmp_path / "alphabet.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"no alphabet\.json"):
        kt.AutoProcessor.from_preset(tmp_path)


def test_language_models_need_their_package(folder, pyctcdecode, tmp_path, monkeypatch):
    with_model(folder).save_preset(tmp_path)
    monkeypatch.setitem(sys.modules, "pyctcdecode", None)
    with pytest.raises(ImportError, match="Wav2Vec2ProcessorWithLM needs the package pyctcdecode: pip install"):
        kt.AutoProcessor.from_preset(tmp_path)


# ---------------------------------------------------------------------- AutoProcessor


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ({"processor_config.json": {"processor_class": "WhisperProcessor"}}, "WhisperProcessor"),
        ({"preprocessor_config.json": {"processor_class": "SpeechT5Processor"}}, "SpeechT5Processor"),
        ({"tokenizer_config.json": {"processor_class": "ClapProcessor"}}, "ClapProcessor"),
        ({"config.json": {"processor_class": "SamProcessor", "model_type": "bert"}}, "SamProcessor"),
        ({"config.json": {"model_type": "hubert"}}, "Wav2Vec2Processor"),
        ({"config.json": {"model_type": "speech_to_text"}}, "Speech2TextProcessor"),
        ({"config.json": {"model_type": "whisper"}}, "WhisperProcessor"),
        ({"config.json": {"model_type": "sam"}}, "SamProcessor"),
    ],
)
def test_auto_finds_the_class(stored, name, tmp_path, monkeypatch):
    for file, content in stored.items():
        (tmp_path / file).write_text(json.dumps(content))
    cls = getattr(processors, name)
    monkeypatch.setattr(cls, "from_preset", classmethod(lambda cls, source: cls))
    assert kt.AutoProcessor.from_preset(tmp_path) is cls


def test_every_architecture_s_processor_exists():
    for model_type, name in processors.JOINED.items():
        assert processors.processor_for(model_type).__name__ == name
    assert processors.processor_for("bert") is None


def test_presets_that_tell_nothing(tmp_path):
    for stored in ({}, {"processor_class": "MyProcessor"}, {"model_type": "bert"}):
        (tmp_path / "config.json").write_text(json.dumps(stored))
        with pytest.raises(ValueError, match="no processor that keras_tfm knows.*Load its parts, with AutoTokenizer"):
            kt.AutoProcessor.from_preset(tmp_path)

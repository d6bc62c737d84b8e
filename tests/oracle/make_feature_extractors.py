"""Makes tests/fixtures/feature_extractors/*.json: what the reference's feature extractors make of sounds.

    python tests/oracle/make_feature_extractors.py [family ...]

Its NumPy ways are recorded, which it takes where torchaudio, and for Whisper PyTorch, are not installed.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import transformers
from sound_recipe import sounds, summary
from transformers import audio_utils
from transformers.models.whisper import feature_extraction_whisper

FOLDER = Path(__file__).parents[1] / "fixtures" / "feature_extractors"
LONG, SHORT, THREE = "voice:4000", "voice:2500", ["voice:4000", "voice:2500", "pause:3333"]


def case(given, config=None, **options):
    """Sounds (`given`, or {argument: sounds}), the class's options and those of the call. The seed is NumPy's."""
    return {"sounds": given, "config": config or {}, "options": {"padding": True, **options}}


def without_padding(given, config=None, **options):
    return {"sounds": given, "config": config or {}, "options": options}


LENGTHS = {
    "one": case(LONG),
    "doubles": case("doubles:3000"),
    "numbers": case("numbers:3000"),
    "array": case("batch of 2 voice:3000"),
    "longest": case(THREE),
    "mask": case(THREE, return_attention_mask=True),
    "no mask": case(THREE, return_attention_mask=False),
    "multiple": case(THREE, pad_to_multiple_of=64),
    "value": case(THREE, {"padding_value": 0.5}, return_attention_mask=True),
}
SAMPLES = LENGTHS | {
    "integers": case("integers:3000"),
    "silence": case("silence:1000"),
    "cut": case(THREE, truncation=True, max_length=3000),
    "filled and cut": case(THREE, padding="max_length", truncation=True, max_length=3000, pad_to_multiple_of=128),
    "filled": case(THREE, padding="max_length", max_length=5000, return_attention_mask=True),
}
FRAMES = LENGTHS | {
    "cut": case(THREE, truncation=True, max_length=15),
    "filled and cut": case(THREE, padding="max_length", truncation=True, max_length=17, pad_to_multiple_of=4),
    "filled": case(THREE, padding="max_length", max_length=40),
}
FRAMES.pop("no mask")  # the reference fails
SMALL = {"max_length_s": 1, "sampling_rate": 4800, "hop_length": 48, "fft_window_size": 256, "frequency_max": 2000}
QUIET = SMALL | {"feature_size": 32}

RECIPES = {
    "wav2vec2": (
        "Wav2Vec2FeatureExtractor",
        SAMPLES | {"plain": case(THREE, {"do_normalize": False, "return_attention_mask": True})},
    ),
    "whisper": (
        "WhisperFeatureExtractor",
        {
            "defaults": without_padding(["voice:9000", "voice:480500"]),
            "large": without_padding(LONG, {"feature_size": 128, "chunk_length": 1}),
            "mask": without_padding(THREE, {"chunk_length": 1}, return_attention_mask=True),
            "normalized": without_padding(THREE, {"chunk_length": 1}, do_normalize=True, return_attention_mask=True),
            "doubles": without_padding("doubles:3000", {"chunk_length": 1}),
            "numbers": without_padding("numbers:3000", {"chunk_length": 1}),
            "array": without_padding("batch of 2 voice:3000", {"chunk_length": 1}),
            "silence": without_padding("silence:3000", {"chunk_length": 1}),
            "whole": without_padding(["voice:17600", "voice:3000"], padding="longest", truncation=False),
            "cut": without_padding(THREE, max_length=3200),
            "frames": without_padding(LONG, {"n_fft": 512, "hop_length": 128, "chunk_length": 1}),
        },
    ),
    "speech_to_text": (
        "Speech2TextFeatureExtractor",
        FRAMES
        | {
            "plain": case(THREE, {"do_ceptral_normalize": False}),
            "means": case(THREE, {"normalize_vars": False}),
            "variances": case(THREE, {"normalize_means": False}),
            "bins": case(THREE, {"num_mel_bins": 40, "feature_size": 40}),
        },
    ),
    "audio_spectrogram_transformer": (
        "ASTFeatureExtractor",
        {
            "defaults": without_padding([LONG, "voice:165000"]),
            "short": without_padding(THREE, {"max_length": 20}),
            "plain": without_padding(THREE, {"max_length": 30, "do_normalize": False, "num_mel_bins": 64}),
            "normalized": without_padding(THREE, {"max_length": 30, "mean": -6.5, "std": 3.25}),
            "numbers": without_padding("numbers:3000", {"max_length": 30}),
            "silence": without_padding("silence:3000", {"max_length": 30}),
        },
    ),
    "seamless_m4t": (
        "SeamlessM4TFeatureExtractor",
        {key: each for key, each in FRAMES.items() if key != "filled and cut"}
        | {
            "stride": case(THREE, {"stride": 3}, pad_to_multiple_of=3),
            "plain": case(THREE, do_normalize_per_mel_bins=False),
            "silence": case("silence:3000"),
            "stereo": case(["stereo:3000", "stereo:2000"]),
        },
    ),
    "speecht5": (
        "SpeechT5FeatureExtractor",
        {key: each for key, each in SAMPLES.items() if key != "integers"}
        | {
            "normalized": case(THREE, {"do_normalize": True}),
            "targets": case({"audio_target": THREE}),
            "target": case({"audio_target": "numbers:3000"}, return_attention_mask=False),
            "both": case({"audio": THREE, "audio_target": THREE[::-1]}, pad_to_multiple_of=8),
            "frames": case(
                {"audio_target": THREE},
                {"hop_length": 10, "win_length": 25, "fmin": 0, "fmax": 4000, "num_mel_bins": 20, "mel_floor": 1e-3},
            ),
        },
    ),
    "encodec": (
        "EncodecFeatureExtractor",
        {
            "one": without_padding(LONG),
            "longest": without_padding(THREE),
            "none": without_padding([LONG, LONG], padding=False),
            "stereo": without_padding(["stereo:3000", "stereo:2000"], {"feature_size": 2, "sampling_rate": 48000}),
            "one stereo": without_padding("stereo:3000", {"feature_size": 2}),
            "chunks": without_padding(THREE, {"chunk_length_s": 0.05, "overlap": 0.01}),
            "whole chunks": without_padding(
                [LONG, LONG], {"chunk_length_s": 0.05, "overlap": 0.5}, padding=False, truncation=True
            ),
            "filled": without_padding(THREE, {"chunk_length_s": 0.05}, padding="max_length", max_length=5000),
            "cut": without_padding(THREE, padding=False, truncation=True, max_length=2000),
        },
    ),
    "clap": (
        "ClapFeatureExtractor",
        {
            "defaults": without_padding("voice:100000"),
            "repeatpad": without_padding(["voice:2000", "voice:4800", "voice:700"], QUIET),
            "repeat": without_padding(["voice:2000", "voice:700"], QUIET, padding="repeat"),
            "pad": without_padding(["voice:2000", "voice:700"], QUIET, padding="pad", truncation="rand_trunc"),
            "fusion": without_padding(["voice:9000", "voice:700"], SMALL),
            "fusion of a few": without_padding(["voice:4900", "voice:4810"], SMALL),
            "rand_trunc": without_padding(["voice:9000", "voice:700"], QUIET, truncation="rand_trunc"),
            "cut": without_padding("voice:4000", SMALL, max_length=3000),
            "silence": without_padding("silence:700", QUIET),
        },
    ),
    "univnet": (
        "UnivNetFeatureExtractor",
        {
            "longest": case(THREE, return_noise=False),
            "padded": case(THREE, return_noise=False, pad_end=True),
            "padded some": case(THREE, return_noise=False, pad_end=True, pad_length=3, do_normalize=True),
            "filled": case(THREE, {"max_length_s": 1}, return_noise=False, padding="max_length"),
            "frames": case(LONG, {"hop_length": 100, "center": True, "fmax": 8000.0}, return_noise=False),
            "compressed": case(LONG, {"compression_factor": 2.0, "compression_clip_val": 0.1}, return_noise=False),
        },
    ),
    "clvp": (
        "ClvpFeatureExtractor",
        {
            "defaults": without_padding(LONG),
            "longest": case(THREE),
            "cut": without_padding(THREE, max_length=3000, return_attention_mask=False),
            "norms": case(LONG, {"mel_norms": [0.5, 2.0] * 40}),
        },
    ),
    "mctct": (
        "MCTCTFeatureExtractor",
        {key: each for key, each in FRAMES.items() if key not in ("one", "doubles", "numbers", "array", "value")}
        | {"plain": case(LONG, {"normalize_means": False, "normalize_vars": False})}
        | {"hann": case(LONG, {"win_function": "hann_window", "hop_length": 20})},
    ),
}


def record(family):
    name, cases = RECIPES[family]
    made = {}
    for key, each in cases.items():
        extractor = getattr(transformers, name)(**each["config"])
        np.random.seed(7)
        given = each["sounds"]
        given = {k: sounds(v) for k, v in given.items()} if isinstance(given, dict) else {None: sounds(given)}
        positional = [given.pop(None)] if None in given else []
        given |= each["options"] | {"sampling_rate": extractor.sampling_rate, "return_tensors": "np"}
        out = extractor(*positional, **given)
        saved = json.loads(extractor.to_json_string())
        made[key] = each | {"saved": saved, "expected": {k: summary(v) for k, v in out.items()}}
    return {"class": name, "cases": made}


def pieces():
    """What the reference's audio_utils make: filters, windows, spectrograms."""
    filters = [
        {
            "options": options,
            "expected": summary(
                audio_utils.mel_filter_bank(
                    options["frequencies"],
                    options["count"],
                    options["lowest"],
                    options["highest"],
                    options["sampling_rate"],
                    norm=options.get("norm"),
                    mel_scale=options["scale"],
                    triangularize_in_mel_space=options.get("triangles_in_mels", False),
                )
            ),
        }
        for scale in ("htk", "slaney", "kaldi")
        for more in ({}, {"norm": "slaney"}, {"triangles_in_mels": True})
        for options in [
            {"frequencies": 129, "count": 20, "lowest": 50, "highest": 7000.0, "sampling_rate": 16000, "scale": scale}
            | more
        ]
    ]
    windows = [
        {"name": name, "periodic": periodic, "expected": summary(audio_utils.window_function(60, name, periodic))}
        for name in ("boxcar", "hann", "hann_window", "hamming", "hamming_window", "povey")
        for periodic in (True, False)
    ]
    waveform = sounds("voice:3000")
    decibels = [
        {"options": options, "expected": summary(audio_utils.power_to_db(abs(waveform), min_value=1e-4, **options))}
        for options in ({}, {"reference": 0.5}, {"db_range": 20.0})
    ]
    return {"filters": filters, "windows": windows, "decibels": decibels}


def lines(recorded):
    """JSON, one case a line."""
    cases = ",\n".join(f"{json.dumps(key)}: {json.dumps(made)}" for key, made in recorded["cases"].items())
    return f'{{"class": "{recorded["class"]}", "cases": {{\n{cases}\n}}}}\n'


def main(families):
    feature_extraction_whisper.is_torch_available = lambda: False
    FOLDER.mkdir(exist_ok=True)
    for family in families or RECIPES:
        (FOLDER / f"{family}.json").write_text(lines(record(family)))
    (FOLDER / "pieces").mkdir(exist_ok=True)
    (FOLDER / "pieces" / "audio_utils.json").write_text(json.dumps(pieces()) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])

"""Writes tests/fixtures/generation/: what the reference's logits processors and warpers make of scores.

    pip install transformers==4.39.3 torch "numpy<2"        (in a virtual environment of its own)
    python tests/oracle/processors.py                       -> processors-4.json
    pip install transformers==5.23 torch                    (in another)
    python tests/oracle/processors.py                       -> processors-5.json

A case is what a user asks `generate` for; the reference itself makes the list of processors of it. The newer version
is asked for what only it has, and for what it repaired.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from transformers import GenerationConfig
from transformers.generation.utils import GenerationMixin

MAJOR = transformers.__version__.partition(".")[0]
FILE = Path(__file__).parents[1] / "fixtures" / "generation" / f"processors-{MAJOR}.json"
R, V, PROMPT, PAD = 3, 14, 4, 0
EOS = 2
INF = float("inf")

generator = torch.Generator().manual_seed(0)


def drawn(scale):
    return (torch.randn((R, V), generator=generator) * scale).round(decimals=3).tolist()


# (R, V) scores.
SCORES = {
    "usual": drawn(2),
    "peaked": drawn(8),
    "flat": drawn(0.05),
    "ties": [
        [1.0, 2.0, 2.0, 0.0, 2.0, 1.0, 1.0, -1.0, 2.0, 0.0, 0.0, 1.0, -3.0, 2.0],
        [0.0] * V,
        [5.0, 5.0, *[-2.0] * 12],
    ],
    "forbidden": [
        [-INF, 1.0, -INF, 0.5, -INF, -INF, 2.0, -1.0, -INF, 0.25, -INF, -INF, -INF, -0.5],
        [*[-INF] * 13, 1.5],
        [0.5, -0.5, *[-INF] * 10, 3.0, -INF],
    ],
    "invalid": [
        [float("nan"), 1.0, INF, 0.5, -INF, 0.0, 2.0, -1.0, 0.0, 0.25, 0.0, 0.0, 1.0, -0.5],
        drawn(1)[0],
        [-INF, INF, *[float("nan")] * 3, *[2.0] * 9],
    ],
}
# (R, length) tokens so far: of any length, padded on the left, with repetitions.
IDS = {
    "one": [[1], [1], [1]],
    "two": [[1, 5], [PAD, 5], [3, 3]],
    "prompt": [[4, 5, 6, 7], [PAD, PAD, 5, 6], [3, 3, 3, 3]],
    "longer": [[4, 5, 6, 7, 4, 5], [PAD, PAD, 5, 6, 9, 5], [3, 3, 3, 3, 3, 3]],
    "long": [[4, 5, 6, 7, 4, 5, 6, 8, 4, 5], [PAD, PAD, 5, 6, 9, 5, 6, 13, 12, 5], [3, 3, 3, 1, 3, 3, 3, 3, 2, 3]],
}
SOURCES = [[5, 6, 7, 8, 5, 6, 9, EOS], [4, 5, 4, 5, 3, EOS, PAD, PAD], [3, 3, 3, 1, 11, 12, 13, EOS]]
ONE_SOURCE = [[5, 3, 3, 6, 9, 4, 5, 10, EOS]]


def case(options, scores=("usual",), ids=("long",), prompt=PROMPT, **more):
    return {"options": options, "scores": scores, "ids": ids, "prompt": prompt, **more}


def sampled(options, scores=("usual", "peaked", "flat", "forbidden"), **more):
    return case({"do_sample": True, **options}, scores, **more)


ANY_LENGTH = (*IDS,)
FIVE = ("usual", "peaked", "flat", "ties", "forbidden")
BEAMS = {"num_beams": 3, "eos_token_id": EOS}
SEVERAL_ENDS = {"num_beams": 3, "eos_token_id": [EOS, 5, 13]}
CASES = {
    "temperature": sampled({"temperature": 0.7}),
    "high temperature": sampled({"temperature": 1.7}),
    "top_k": sampled({"top_k": 3}, FIVE),
    "top_k of one": sampled({"top_k": 1}, FIVE),
    "top_k of more than there are": sampled({"top_k": 50}),
    "top_k in beams": sampled({"top_k": 1, **SEVERAL_ENDS}, FIVE),
    "top_p": sampled({"top_p": 0.9}, FIVE),
    "small top_p": sampled({"top_p": 0.05}, FIVE),
    "top_p near one": sampled({"top_p": 0.9999}),
    "top_p of none": sampled({"top_p": 0.0}, FIVE),
    "top_p in beams": sampled({"top_p": 0.3, **BEAMS}, FIVE),
    "top_p in beams with several ends": sampled({"top_p": 0.3, **SEVERAL_ENDS}, FIVE),
    "typical_p": sampled({"typical_p": 0.9}),
    "small typical_p": sampled({"typical_p": 0.2}),
    "typical_p in beams": sampled({"typical_p": 0.1, **SEVERAL_ENDS}, ("usual", "peaked", "flat")),
    "epsilon_cutoff": sampled({"epsilon_cutoff": 0.05}),
    "high epsilon_cutoff": sampled({"epsilon_cutoff": 0.9}, FIVE),
    "epsilon_cutoff in beams": sampled({"epsilon_cutoff": 0.9, **BEAMS}, FIVE),
    "eta_cutoff": sampled({"eta_cutoff": 0.1}),
    "high eta_cutoff": sampled({"eta_cutoff": 0.9}),
    "eta_cutoff in beams": sampled({"eta_cutoff": 0.9, **SEVERAL_ENDS}),
    "every way to sample": sampled(
        {"temperature": 1.5, "top_k": 9, "top_p": 0.95, "typical_p": 0.9, "epsilon_cutoff": 0.02, "eta_cutoff": 0.02}
    ),
    "sampling renormalized": sampled({"temperature": 0.5, "top_k": 5, "top_p": 0.8, "renormalize_logits": True}),
    "renormalized": case({"renormalize_logits": True}, ("usual", "peaked", "forbidden")),
    "repetition_penalty": case({"repetition_penalty": 1.5}, ids=ANY_LENGTH),
    "repetition_reward": case({"repetition_penalty": 0.5}, ("usual", "forbidden"), ("long",)),
    "encoder_repetition_penalty": case({"encoder_repetition_penalty": 1.5}, source=SOURCES),
    "no_repeat_ngram of one": case({"no_repeat_ngram_size": 1}, ids=ANY_LENGTH),
    "no_repeat_ngram of two": case({"no_repeat_ngram_size": 2}, ids=ANY_LENGTH),
    "no_repeat_ngram of three": case({"no_repeat_ngram_size": 3}, ids=ANY_LENGTH),
    "no_repeat_ngram of four": case({"no_repeat_ngram_size": 4}, ids=ANY_LENGTH),
    "no_repeat_ngram of more than there is": case({"no_repeat_ngram_size": 30}),
    "encoder_no_repeat_ngram of one": case({"encoder_no_repeat_ngram_size": 1}, source=SOURCES),
    "encoder_no_repeat_ngram of two": case({"encoder_no_repeat_ngram_size": 2}, ids=ANY_LENGTH, source=SOURCES),
    "encoder_no_repeat_ngram of three": case({"encoder_no_repeat_ngram_size": 3}, ids=ANY_LENGTH, source=SOURCES),
    "encoder_no_repeat_ngram in beams": case(
        {"encoder_no_repeat_ngram_size": 2}, ids=("two", "long"), source=ONE_SOURCE
    ),
    "bad_words": case(
        {"bad_words_ids": [[9], [5, 6], [4, 5, 8], [PAD, 5, 7], [EOS], [1, EOS]], "eos_token_id": EOS},
        ids=("prompt", "longer", "long"),
    ),
    "bad_words with several ends": case(
        {"bad_words_ids": [[9], [5], [EOS], [5, EOS]], "eos_token_id": [EOS, 5]}, ids=("prompt", "long")
    ),
    "bad_words that are long": case({"bad_words_ids": [[3, 4, 5, 6, 7, 4, 5, 6, 8, 4, 5, 1], [7]]}, ids=ANY_LENGTH),
    "sequence_bias": case(
        {"sequence_bias": [[[9], 3.0], [[5, 6], -2.5], [[4, 5, 6], 1.25], [[3, 3], -INF], [[8, 4, 5, 9], 0.5]]},
        ("usual", "forbidden"),
        ids=("prompt", "longer", "long"),
    ),
    "min_length": case({"min_length": 7, "eos_token_id": EOS}, ids=ANY_LENGTH),
    "min_length as long as the text": case({"min_length": 6, "eos_token_id": EOS}, ids=("longer",)),
    "min_length with several ends": case({"min_length": 7, "eos_token_id": [EOS, 5]}, ids=("prompt", "long")),
    "min_length without an end": case({"min_length": 7}, ids=("prompt",)),
    "min_new_tokens": case({"min_new_tokens": 3, "eos_token_id": [EOS]}, ids=("prompt", "longer", "long")),
    "min_new_tokens, all there": case({"min_new_tokens": 2, "eos_token_id": [EOS]}, ids=("longer",)),
    "forced_bos": case({"forced_bos_token_id": 7}, ids=ANY_LENGTH, prompt=1),
    "forced_eos": case({"forced_eos_token_id": EOS, "max_length": 7}, ids=ANY_LENGTH),
    "forced_eos, several": case({"forced_eos_token_id": [EOS, 9], "max_length": 11}, ids=("longer", "long")),
    "remove_invalid_values": case({"remove_invalid_values": True}, ("invalid", "forbidden", "usual")),
    "exponential_decay_length_penalty": case(
        {"exponential_decay_length_penalty": [1, 1.3], "eos_token_id": [EOS, 5]}, ids=("prompt", "longer", "long")
    ),
    "suppress_tokens": case({"suppress_tokens": [0, 3, 13, 3]}, ids=("one", "long")),
    "begin_suppress_tokens": case({"begin_suppress_tokens": [0, 3, 13]}, ids=ANY_LENGTH),
    "begin_suppress_tokens after a forced one": case(
        {"begin_suppress_tokens": [0, 3], "forced_bos_token_id": 6}, ids=("one", "two"), prompt=1
    ),
    "begin_suppress_tokens after forced ones": case(
        {"begin_suppress_tokens": [0, 3], "forced_decoder_ids": [[1, 5], [3, 7]]}, ids=ANY_LENGTH, prompt=1
    ),
    "forced_decoder_ids": case({"forced_decoder_ids": [[1, None], [2, 9], [4, 7]]}, ids=ANY_LENGTH, prompt=1),
    "allowed tokens": case({}, ids=("prompt",), allowed=[[1, 4, 5], [13], [0, 2]]),
    "as Whisper": case(
        {"begin_suppress_tokens": [0, 13], "suppress_tokens": [1, 2, 7], "forced_decoder_ids": [[1, 6], [2, None]]}
        | {"forced_eos_token_id": EOS, "max_length": 11},
        ids=ANY_LENGTH,
        prompt=1,
    ),
    "everything": case(
        {
            "repetition_penalty": 1.2,
            "encoder_repetition_penalty": 1.1,
            "no_repeat_ngram_size": 3,
            "encoder_no_repeat_ngram_size": 2,
            "bad_words_ids": [[1], [5, 10]],
            "sequence_bias": [[[7], 1.0], [[5, 8], 2.0]],
            "min_length": 8,
            "min_new_tokens": 3,
            "eos_token_id": EOS,
            "forced_eos_token_id": EOS,
            "max_length": 11,
            "remove_invalid_values": True,
            "suppress_tokens": [12],
            "do_sample": True,
            "temperature": 0.8,
            "top_k": 6,
            "top_p": 0.97,
            "renormalize_logits": True,
        },
        ("usual", "forbidden"),
        ids=("prompt", "longer", "long"),
        source=SOURCES,
    ),
}
CASES_5 = {
    "min_p": sampled({"min_p": 0.1}, FIVE),
    "high min_p": sampled({"min_p": 0.9}, FIVE),
    "min_p in beams": sampled({"min_p": 0.9, **BEAMS}, ("usual", "peaked", "flat")),
    "min_p among others": sampled({"min_p": 0.1, "temperature": 1.4, "top_k": 8, "top_p": 0.99, "typical_p": 0.95}),
    "sequence_bias from the first token on": case(
        {"sequence_bias": [[[1, 9], 3.0], [[5, 6], -2.5], [[1, 5, 6], 1.25], [[3, 3, 3], -INF]]}, ids=("one", "two")
    ),
    "encoder_repetition_penalty in beams": case({"encoder_repetition_penalty": 1.5}, source=ONE_SOURCE),
    "a length penalty on what is forbidden": case(
        {"exponential_decay_length_penalty": [1, 1.3], "eos_token_id": EOS, "min_length": 9}, ids=("longer", "long")
    ),
}


def record(case):
    """The reference's scores, for every pair of scores and ids."""
    options = dict(case["options"])
    if MAJOR == "4" and "sequence_bias" in options:
        options["sequence_bias"] = {tuple(tokens): bias for tokens, bias in options["sequence_bias"]}
    config = GenerationConfig(**options)
    source = torch.tensor(case["source"]) if "source" in case else None
    allowed = case.get("allowed")
    choose = None if allowed is None else lambda row, ids: allowed[row]
    if MAJOR == "5":
        ends = options.get("eos_token_id")
        config._eos_token_tensor = None if ends is None else torch.tensor(ends).reshape(-1)
    model = SimpleNamespace(
        config=SimpleNamespace(is_encoder_decoder=source is not None),
        _merge_criteria_processor_list=GenerationMixin._merge_criteria_processor_list.__get__(object()),
    )
    rules = GenerationMixin._get_logits_processor(
        model,
        generation_config=config,
        input_ids_seq_length=case["prompt"],
        encoder_input_ids=source,
        prefix_allowed_tokens_fn=choose,
        logits_processor=[],
    )
    if MAJOR == "4" and config.do_sample:
        rules = [*rules, *GenerationMixin._get_logits_warper(model, config)]
    expected = []
    for name in case["scores"]:
        for text in case["ids"]:
            scores = torch.tensor(SCORES[name])
            for rule in rules:
                scores = rule(torch.tensor(IDS[text]), scores)
            expected.append([[float(f"{x:.7g}") for x in row] for row in scores.tolist()])
    return {**case, "expected": expected}


if __name__ == "__main__":
    cases = CASES if MAJOR == "4" else CASES_5
    lines = [f'"scores": {json.dumps(SCORES)}', f'"ids": {json.dumps(IDS)}']
    lines += [f" {json.dumps(name)}: {json.dumps(record(case))}" for name, case in cases.items()]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("{" + ",\n".join(lines[:2]) + ',\n"cases": {\n' + ",\n".join(lines[2:]) + "\n}}\n")

"""Writes tests/fixtures/generation/configs.json: what the reference reads, derives, refuses and warns of.

pip install transformers==4.39.3 torch "numpy<2"        (in a virtual environment of its own)
python tests/oracle/generation_configs.py
"""

import json
import re
import warnings
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, GPT2Config
from transformers.utils import logging

FILE = Path(__file__).parents[1] / "fixtures" / "generation" / "configs.json"
# generation_config.json as checkpoints of the Hub have it.
FILES = {
    "chat": {
        "bos_token_id": 1,
        "do_sample": True,
        "eos_token_id": 2,
        "max_length": 4096,
        "pad_token_id": 0,
        "temperature": 0.6,
        "top_p": 0.9,
        "transformers_version": "4.31.0.dev0",
    },
    "several ends": {
        "bos_token_id": 128000,
        "do_sample": True,
        "eos_token_id": [128001, 128009],
        "repetition_penalty": 1.05,
        "temperature": 0.7,
        "top_k": 20,
        "top_p": 0.8,
        "transformers_version": "4.37.0",
    },
    "summaries": {
        "bos_token_id": 0,
        "decoder_start_token_id": 2,
        "early_stopping": True,
        "eos_token_id": 2,
        "forced_bos_token_id": 0,
        "forced_eos_token_id": 2,
        "length_penalty": 2.0,
        "max_length": 142,
        "min_length": 56,
        "no_repeat_ngram_size": 3,
        "num_beams": 4,
        "pad_token_id": 1,
        "transformers_version": "4.27.0.dev0",
    },
    "speech": {
        "alignment_heads": [[2, 2], [3, 0]],
        "begin_suppress_tokens": [220, 50257],
        "bos_token_id": 50257,
        "decoder_start_token_id": 50258,
        "eos_token_id": 50257,
        "forced_decoder_ids": [[1, None], [2, 50359]],
        "is_multilingual": True,
        "lang_to_id": {"<|en|>": 50259},
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "no_timestamps_token_id": 50363,
        "pad_token_id": 50257,
        "return_timestamps": False,
        "suppress_tokens": [1, 2, 7],
        "task_to_id": {"transcribe": 50359, "translate": 50358},
        "transformers_version": "4.31.0.dev0",
    },
    "translations": {
        "bad_words_ids": [[58100]],
        "bos_token_id": 0,
        "decoder_start_token_id": 58100,
        "eos_token_id": 0,
        "forced_eos_token_id": 0,
        "max_length": 512,
        "num_beams": 4,
        "pad_token_id": 58100,
        "renormalize_logits": True,
        "transformers_version": "4.32.1",
    },
    "contrastive": {"penalty_alpha": 0.6, "top_k": 4, "exponential_decay_length_penalty": [16, 1.01]},
    "nothing": {"transformers_version": "4.39.3"},
}
# config.json of which the reference derives one.
DERIVED = {
    "gpt2": {"model_type": "gpt2"},
    "gpt2 with generation fields": {
        "model_type": "gpt2",
        "do_sample": True,
        "max_length": 50,
        "num_beams": 3,
        "no_repeat_ngram_size": 2,
        "bad_words_ids": [[7], [8, 9]],
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 99}},
    },
    "llama": {"model_type": "llama", "eos_token_id": [2, 32000], "pad_token_id": 0, "temperature": 0.5},
    "opt": {"model_type": "opt", "prefix": "</s>", "early_stopping": True, "length_penalty": 0.5},
    "bert as decoder": {"model_type": "bert", "is_decoder": True, "bos_token_id": 5, "min_length": 3, "top_k": 0},
}
MODES = [
    {},
    {"do_sample": True},
    {"do_sample": True, "penalty_alpha": 0.5},
    {"penalty_alpha": 0.5},
    {"penalty_alpha": 0.5, "top_k": 1},
    {"penalty_alpha": 0.5, "top_k": None},
    {"penalty_alpha": 0.0},
    {"num_beams": 2},
    {"num_beams": 2, "penalty_alpha": 0.5},
    {"num_beams": 2, "do_sample": True},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"num_beams": 2, "force_words_ids": [[3]]},
]
# Each with the class of error that `generate` ends in, if any, and the options that the reference warns of.
CHECKS = [
    {},
    {"do_sample": True, "temperature": 0.5, "top_k": 5, "top_p": 0.5, "typical_p": 0.5},
    {"temperature": 0.5},
    {"top_p": 0.5},
    {"typical_p": 0.5},
    {"top_k": 5},
    {"top_k": 5, "penalty_alpha": 0.0},
    {"epsilon_cutoff": 0.1, "eta_cutoff": 0.1, "top_k": 0, "temperature": 0.0},
    {"early_stopping": True},
    {"length_penalty": 2.0},
    {"num_beam_groups": 2},
    {"num_beams": 2, "early_stopping": "never", "length_penalty": 2.0},
    {"early_stopping": "sometimes"},
    {"max_new_tokens": 0},
    {"max_new_tokens": -3},
    {"num_return_sequences": 2},
    {"num_return_sequences": 2, "do_sample": True},
    {"num_return_sequences": 2, "num_beams": 2},
    {"num_return_sequences": 3, "num_beams": 2},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"num_beams": 4, "num_beam_groups": 2},
    {"num_beams": 4, "num_beam_groups": 3, "diversity_penalty": 0.5},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5, "do_sample": True},
    {"diversity_penalty": 0.5},
    {"num_beams": 4, "diversity_penalty": 0.5},
    {"num_beams": 4, "diversity_penalty": 0.5, "do_sample": True},
    {"num_beams": 2, "force_words_ids": [[3]]},
    {"num_beams": 2, "force_words_ids": [[[3], [4, 5]]]},
    {"num_beams": 2, "force_words_ids": []},
    {"num_beams": 2, "force_words_ids": [[-1]]},
    {"num_beams": 2, "force_words_ids": [[3]], "do_sample": True},
    {"num_beams": 4, "force_words_ids": [[3]], "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"do_sample": True, "temperature": 0.0},
    {"do_sample": True, "temperature": -1.0},
    {"do_sample": True, "top_k": -1},
    {"do_sample": True, "top_p": -0.1},
    {"do_sample": True, "typical_p": 0.0},
    {"repetition_penalty": 0.0},
    {"repetition_penalty": -1.0},
    {"encoder_repetition_penalty": 0.0},
    {"min_length": 2, "eos_token_id": None},
    {"bad_words_ids": []},
    {"bad_words_ids": [5]},
    {"bad_words_ids": [[-5]]},
    {"bad_words_ids": [[5], [6, 7]]},
    {"sequence_bias": {}},
    {"suppress_tokens": [3, 4], "begin_suppress_tokens": [5]},
    {"forced_bos_token_id": 3, "forced_eos_token_id": [4, 5]},
]


def read(stored):
    config = GenerationConfig.from_dict(stored)
    return plain(config.to_diff_dict())


def derived(stored):
    return plain(GenerationConfig.from_model_config(AutoConfig.for_model(**stored)).to_diff_dict())


def plain(stored):
    return {k: v for k, v in stored.items() if k not in ("transformers_version", "_from_model_config")}


def outcome(model, options):
    """Whether `generate` refuses these options, and the names of those that it warns of as idle."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            config = GenerationConfig(**({"eos_token_id": 1, "pad_token_id": 0, "max_length": 6} | options))
            model.generate(torch.tensor([[5, 6]]), generation_config=config)
            refused = False
        except (ValueError, TypeError):
            refused = True
    idle = {found[1] for w in caught if (found := re.search(r"However, `(\w+)`.*only used", str(w.message)))}
    return {"options": options, "refused": refused, "idle": [] if refused else sorted(idle)}


if __name__ == "__main__":
    logging.set_verbosity_error()
    torch.manual_seed(0)
    tiny = GPT2Config(vocab_size=11, n_embd=8, n_layer=1, n_head=2, n_positions=16, bos_token_id=1, eos_token_id=1)
    model = AutoModelForCausalLM.from_config(tiny).eval()
    fixture = {
        "files": {name: {"stored": stored, "read": read(stored)} for name, stored in FILES.items()},
        "derived": {name: {"config": stored, "read": derived(stored)} for name, stored in DERIVED.items()},
        "modes": [[options, GenerationConfig(**options).get_generation_mode().value] for options in MODES],
        "checks": [outcome(model, options) for options in CHECKS],
    }
    text = ",\n".join(f'"{name}": ' + json.dumps(part).replace("}, {", "},\n {") for name, part in fixture.items())
    FILE.write_text("{" + text + "}\n")

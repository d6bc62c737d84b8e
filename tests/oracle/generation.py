"""Makes the fixtures of tests/fixtures/generation/models: what the reference's `generate` makes of options and prompts.

    python tests/oracle/generation.py [gpt2/base ..]        (where transformers==4.39.3 is; without names, all)

The models are those of fixtures/models, with room for longer texts.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from make import seed
from recipe import padded, text

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "fixtures"
TWO = text(2, 5, vocabulary=61)
LEFT = padded(text(2, 6, vocabulary=61), side="left")
ONE = {"input_ids": TWO["input_ids"][:1]}
LONG = {"input_ids": np.tile(text(2, 4, vocabulary=61)["input_ids"], (1, 3))}  # what has been said comes again
ONE_LONG = {"input_ids": LONG["input_ids"][:1]}

# name: (options, prompts). Ten new tokens unless the options say otherwise; the models of 61 words end texts with 60.
STRATEGIES = {
    "greedy": ({}, TWO),
    "greedy_left": ({}, LEFT),
    "greedy_ends": ({"eos_token_id": [60, 7, 20, 33, 41, 52, 11, 3]}, TWO),
    "greedy_max_length": ({"max_length": 9, "max_new_tokens": None}, TWO),
    "repetition": ({"repetition_penalty": 1.7}, LONG),
    "no_repeat": ({"no_repeat_ngram_size": 2}, LONG),
    "encoder_repetition": ({"encoder_repetition_penalty": 1.4, "encoder_no_repeat_ngram_size": 2}, LONG),
    "bad_words": ({"bad_words_ids": [[5], [12, 9], [31], [47], [17, 3, 8]]}, TWO),
    "bias": ({"sequence_bias": {(5,): 2.5, (12, 9): 4.0, (31,): -3.0}}, TWO),
    "min_length": ({"min_new_tokens": 7, "eos_token_id": [60, 7, 20, 33, 41, 52, 11, 3]}, TWO),
    "forced": (
        {"forced_eos_token_id": 7, "suppress_tokens": [1, 2, 3, 4, 40, 41], "begin_suppress_tokens": [9, 30]},
        TWO,
    ),
    "decaying": ({"exponential_decay_length_penalty": (2, 1.8)}, TWO),
    "guided": ({"guidance_scale": 2.0}, TWO),
    "guided_negative": ({"guidance_scale": 1.6, "negative_prompt_ids": text(2, 3, vocabulary=61)["input_ids"]}, TWO),
    "guided_longer": (
        {"guidance_scale": 1.6, "negative_prompt_ids": LONG["input_ids"], "min_length": 9, "repetition_penalty": 1.2},
        TWO,
    ),
    "beam": ({"num_beams": 3}, TWO),
    "beam_left": ({"num_beams": 3}, LEFT),
    "beam_returned": ({"num_beams": 4, "num_return_sequences": 3, "eos_token_id": [60, 7, 20]}, TWO),
    "beam_longer": ({"num_beams": 3, "length_penalty": 2.5, "eos_token_id": [60, 7, 20, 33, 41]}, TWO),
    "beam_shorter": ({"num_beams": 3, "length_penalty": -1.0, "eos_token_id": [60, 7, 20, 33, 41]}, TWO),
    "beam_early": ({"num_beams": 3, "early_stopping": True, "eos_token_id": [60, 7, 20, 33, 41]}, TWO),
    "beam_never": ({"num_beams": 3, "early_stopping": "never", "eos_token_id": [60, 7, 20, 33, 41]}, TWO),
    "beam_no_end": ({"num_beams": 2, "eos_token_id": None}, TWO),
    "beam_rules": ({"num_beams": 3, "no_repeat_ngram_size": 2, "repetition_penalty": 1.3}, LONG),
    "beam_encoder_repetition": ({"num_beams": 2, "encoder_no_repeat_ngram_size": 2}, LONG),
    "groups": ({"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.6, "num_return_sequences": 4}, TWO),
    "groups_of_one": (
        {"num_beams": 3, "num_beam_groups": 3, "diversity_penalty": 1.0, "sequence_bias": {(5,): 2.5}},
        TWO,
    ),
    "contrastive": ({"penalty_alpha": 0.6, "top_k": 4}, TWO),
    "contrastive_left": ({"penalty_alpha": 0.6, "top_k": 4}, LEFT),
    "contrastive_rules": (
        {"penalty_alpha": 0.4, "top_k": 6, "repetition_penalty": 1.3, "eos_token_id": [60, 7, 20, 33, 41, 52, 11, 3]},
        LONG,
    ),
    "contrastive_guided": ({"penalty_alpha": 0.6, "top_k": 4, "guidance_scale": 1.6, "eos_token_id": None}, TWO),
    "constrained": ({"num_beams": 3, "force_words_ids": [[5, 9], [31]]}, TWO),
    "constrained_left": (
        {"num_beams": 3, "force_words_ids": [[44, 45], [31]], "eos_token_id": [60, 7, 20, 33, 41]},
        LEFT,
    ),
    "constrained_choice": (
        {"num_beams": 5, "force_words_ids": [[[9, 3, 3, 2], [9, 5, 1], [9, 2, 3]], [1], [[3, 4, 4], [3, 2, 3]]]},
        TWO,
    ),
    "constrained_early": (
        {
            "num_beams": 5,
            "num_return_sequences": 3,
            "force_words_ids": [[25], [[31, 7], [8]]],
            "eos_token_id": [60, 7, 20, 33, 41],
            "early_stopping": True,
        },
        TWO,
    ),
    "constrained_never": (
        {
            "num_beams": 3,
            "num_return_sequences": 2,
            "force_words_ids": [[25]],
            "eos_token_id": [60, 7, 20, 33, 41],
            "early_stopping": "never",
            "length_penalty": 2.0,
        },
        TWO,
    ),
    "constrained_rules": (
        {
            "num_beams": 4,
            "num_return_sequences": 2,
            "force_words_ids": [[5], [8, 9], [31, 2], [44]],
            "no_repeat_ngram_size": 2,
            "repetition_penalty": 1.3,
        },
        LONG,
    ),
    "constrained_in_vain": (
        {"num_beams": 3, "num_return_sequences": 2, "force_words_ids": [[25, 26, 27, 28, 29], [1, 2, 3, 4, 5, 6, 7]]},
        TWO,
    ),
    "lookup": ({"prompt_lookup_num_tokens": 3}, ONE_LONG),
    "lookup_longer": (
        {"prompt_lookup_num_tokens": 6, "max_matching_ngram_size": 3, "repetition_penalty": 1.2, "max_new_tokens": 20},
        ONE_LONG,
    ),
    "lookup_ends": (
        {"prompt_lookup_num_tokens": 4, "max_matching_ngram_size": 1, "eos_token_id": [60, 7, 20, 33, 41, 52, 11, 3]},
        ONE_LONG,
    ),
    "assisted": ({"assistant_model": "draft", "max_new_tokens": 20}, ONE),
    "assisted_rules": (
        {"assistant_model": "draft", "no_repeat_ngram_size": 2, "forced_eos_token_id": 7, "max_new_tokens": 20},
        ONE_LONG,
    ),
    "assisted_ends": ({"assistant_model": "draft", "eos_token_id": [60, 7, 20, 33, 41, 52, 11, 3]}, ONE_LONG),
    "assisted_alike": ({"assistant_model": "model", "min_new_tokens": 7, "max_new_tokens": 20}, ONE),
}
# With an encoder: pairs of a strategy's options and what it reads. Its padding stands on the right.
RIGHT = padded(text(2, 6, vocabulary=61))
WITH_ENCODER = {
    "greedy": ({}, RIGHT),
    "begun": ({"eos_token_id": [7, 20, 33, 41]}, RIGHT | {"decoder_input_ids": text(2, 3, vocabulary=61)["input_ids"]}),
    "encoder_repetition": ({"encoder_repetition_penalty": 1.4, "encoder_no_repeat_ngram_size": 2}, LONG),
    "forced": ({"forced_bos_token_id": 12, "forced_eos_token_id": 7, "min_length": 4}, RIGHT),
    "beam": ({"num_beams": 3, "length_penalty": 2.0, "num_return_sequences": 2}, RIGHT),
    "groups": ({"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.6}, RIGHT),
    "contrastive": ({"penalty_alpha": 0.6, "top_k": 4}, RIGHT),
    "constrained": ({"num_beams": 3, "force_words_ids": [[5, 9], [31]]}, RIGHT),
    "lookup": ({"prompt_lookup_num_tokens": 3, "max_new_tokens": 20}, ONE_LONG),
    "assisted": ({"assistant_model": "draft", "max_new_tokens": 20}, ONE_LONG),
}
MODELS = {
    "gpt2/base": ("GPT2LMHeadModel", STRATEGIES),
    "llama/grouped": ("LlamaForCausalLM", STRATEGIES),
    "mixtral/base": ("MixtralForCausalLM", STRATEGIES),
    "t5/gated": ("T5ForConditionalGeneration", WITH_ENCODER),
}


def main(files):
    folder = FIXTURES / "generation" / "models"
    folder.mkdir(exist_ok=True)
    for file in files or MODELS:
        name, strategies = MODELS[file]
        fixture = json.loads((FIXTURES / "models" / f"{file}.json").read_text())
        cls = getattr(transformers, name)
        room = {} if strategies is WITH_ENCODER else {"max_position_embeddings": 64}
        model = cls(cls.config_class(**fixture["config"] | room)).eval()
        tensors, _ = seed(model)
        halves = ("num_layers", "num_decoder_layers") if model.config.is_encoder_decoder else ()
        depth = dict.fromkeys(halves or ("num_hidden_layers",), 1)
        draft = cls(cls.config_class(**model.config.to_diff_dict() | depth)).eval()
        small = {"config": draft.config.to_diff_dict(), "tensors": seed(draft)[0]}  # its weights are the first block's
        calls = {}
        for case, (options, inputs) in strategies.items():
            model.generation_config.eos_token_id = model.config.eos_token_id
            calls[case] = (run_alone if case == "contrastive_left" else run)(model, options, inputs, draft)
        path = folder / f"{file.replace('/', '_')}.json"
        fixture = {"class": name, "config": model.config.to_diff_dict(), "tensors": tensors, "draft": small}
        path.write_text(json.dumps(fixture | {"calls": calls}) + "\n")
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


def run(model, options, inputs, draft):
    """Options, inputs, and the sequences, with the scores of each token's choice and, of beams, of the whole."""
    given = {name: torch.from_numpy(x) for name, x in inputs.items()}
    settings = {"max_new_tokens": 10, "pad_token_id": 0, **options}
    tensors = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    if name := settings.get("assistant_model"):
        tensors["assistant_model"] = {"draft": draft, "model": model}[name]
    if model.config.model_type == "llama":  # with assistance it takes the wrong positions: the text is that without
        for name in ("assistant_model", "prompt_lookup_num_tokens", "max_matching_ngram_size"):
            tensors.pop(name, None)
    recorded = {"return_dict_in_generate": True, "output_scores": True}
    if "eos_token_id" in settings:  # with None the reference would go back to what the model says
        model.generation_config.eos_token_id = settings["eos_token_id"]
    outputs = model.generate(**given, **tensors, **recorded)
    stored = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    if "sequence_bias" in stored:  # JSON has no tuples
        stored["sequence_bias"] = [[list(ids), bias] for ids, bias in stored["sequence_bias"].items()]
    call = {"options": stored, "inputs": {k: v.tolist() for k, v in inputs.items()}}
    call["sequences"] = outputs.sequences.tolist()
    call["highest"] = [[round(x, 5) for x in s.max(-1).values.tolist()] for s in outputs.scores]
    if "sequences_scores" in outputs:
        call["sequences_scores"] = outputs.sequences_scores.tolist()
        if outputs.beam_indices is not None and settings.get("num_beam_groups", 1) == 1:  # groups count within each
            call["beam_indices"] = outputs.beam_indices.tolist()
    if set(options) <= {"num_beams", "num_return_sequences", "eos_token_id"}:
        beams = outputs.get("beam_indices")
        found = model.compute_transition_scores(outputs.sequences, outputs.scores, beams, beams is None)
        call["transitions"] = [[round(x, 5) for x in row] for row in found.tolist()]
    return call


def run_alone(model, options, inputs, draft):
    """As `run`, of each text without its padding, which is put before the result. Contrastive search finds words like
    the padding, too, of which what it is like depends on how attention is computed; later versions leave it out."""
    rows = zip(inputs["input_ids"], inputs["attention_mask"], strict=True)
    calls = [run(model, options, {"input_ids": ids[None, mask > 0]}, draft) for ids, mask in rows]
    texts = [call["sequences"][0] for call in calls]
    longest = max(map(len, texts))
    highest = [sum(scores, []) for scores in zip(*(call["highest"] for call in calls), strict=True)]
    merged = {"inputs": {k: v.tolist() for k, v in inputs.items()}, "highest": highest}
    return calls[0] | merged | {"sequences": [[0] * (longest - len(text)) + text for text in texts]}


if __name__ == "__main__":
    main(sys.argv[1:])

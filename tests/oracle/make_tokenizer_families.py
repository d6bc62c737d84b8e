"""Makes the fixtures of tests/fixtures/tokenizers/families: what the reference's tokenizers make of awkward texts.

    pip install transformers==4.39.3 torch "numpy<2" sentencepiece protobuf jieba    (in an environment of its own)
    python tests/oracle/make_tokenizer_families.py roberta                       (or several recipes, or none for all)

Where the reference has a fast class its outputs are the recorded ones, with the slow class's ids where those differ.
"""

import base64
import importlib
import json
import sys
import tempfile
from pathlib import Path

from tokenizer_recipe import PAIR, WORDS, texts_for

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "fixtures" / "tokenizers" / "families"


def main(recipes):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for recipe in recipes or sorted(path.stem for path in (HERE / "tokenizer_recipes").glob("*.py")):
        for name, case in importlib.import_module(f"tokenizer_recipes.{recipe}").CASES.items():
            path = FIXTURES / f"{name}.json"
            path.write_text(json.dumps(record(case), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


def record(case):
    """The fixture of a family: files, texts, the tokenizer.json's model, and by variant what the reference does."""
    with tempfile.TemporaryDirectory() as folder:
        case.write(Path(folder))
        files = {path.name: packed(path.read_bytes()) for path in sorted(Path(folder).iterdir())}
        options = next(iter(case.variants.values())).options
        texts = texts_for(case, case.load("slow" if case.slow else "fast", folder, **options))
        variants = {name: record_variant(case, name, folder, texts) for name in case.variants}
        more = case.more and case.more(case.load("fast" if case.fast else "slow", folder))
    first, *others = variants.values()
    for other in others:  # only what differs from the first variant, and tokens and full texts follow from the ids
        other["saved"].pop("slow", None)
        for name, outputs in other["texts"].items():
            known = first["texts"][name]
            kept = (key for key in ("input_ids", "without_special", "offsets") if key in outputs)
            other["texts"][name] = {key: outputs[key] for key in kept if outputs[key] != known[key]}
    name = case.name or case.slow or case.fast.removesuffix("Fast")
    fixture = {"class": name, "model_types": case.model_types, "files": files, "texts": texts}
    if case.fast:
        models = [variant["saved"]["fast"]["tokenizer.json"].pop("model") for variant in variants.values()]
        assert all(model == models[0] for model in models)
        fixture["model"] = models[0]
    return fixture | {"variants": variants, "more": more}


def record_variant(case, name, folder, texts):
    variant, first = case.variants[name], name == next(iter(case.variants))
    saved = {}
    if case.slow:
        tokenizer = slow = case.load("slow", folder, **variant.options)
        saved["slow"] = saved_files(slow, ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"))
    if case.fast:
        # Through tokenizer.json, as checkpoints have it: some options are lost on the way.
        built = case.load("fast", folder, **variant.options)
        saved["fast"] = saved_files(built, ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"))
        with tempfile.TemporaryDirectory() as hub:
            built.save_pretrained(hub, legacy_format=False)
            tokenizer = case.load("fast", hub)
    if case.slow and case.fast:
        slow.padding_side = tokenizer.padding_side  # where the classes differ, the fast one's is ours
    cases = {name: text_case(tokenizer, text) for name, text in texts.items()}
    recorded = {"options": variant.options, "saved": saved, "texts": cases, "calls": [], "differs": variant.differs}
    if variant.mended:
        recorded["mended"] = variant.mended
    if case.slow and case.fast:
        ids = {name: slow(text)["input_ids"] for name, text in texts.items()}
        recorded["slow"] = {name: ids[name] for name in texts if ids[name] != cases[name]["input_ids"]}
        print("  the slow class differs on", sorted(recorded["slow"]))
    elif case.slow:
        recorded["decodes_differently"] = variant.decodes_differently
    words = [{"text": WORDS, "is_split_into_words": True}] if variant.words else []
    for call in (case.calls if first else [PAIR]) + words:
        recorded["calls"].append({"call": call, "output": full(tokenizer, call)})
        if not case.slow or "truncation" in call:  # (the classes truncate pairs differently)
            continue
        output = full(slow, call)
        if output["input_ids"] != recorded["calls"][-1]["output"]["input_ids"]:
            recorded["calls"][-1]["slow"] = output
    return recorded | {
        "special_tokens_map": tokenizer.special_tokens_map,
        "all_special_ids": tokenizer.all_special_ids,
        "vocab_size": tokenizer.vocab_size,
        "length": len(tokenizer),
    }


def saved_files(tokenizer, names):
    """The JSON files that the reference saves, those of `names` that there are."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder, **({"legacy_format": False} if tokenizer.is_fast else {}))
        paths = [Path(folder) / name for name in names]
        return {path.name: json.loads(path.read_text("utf-8")) for path in paths if path.exists()}


def text_case(tokenizer, text):
    """One text: ids, tokens, the plain decoded text and the one that users ask for; offsets of a fast class, flat."""
    output = tokenizer(text, return_offsets_mapping=tokenizer.is_fast)
    ids = output["input_ids"]
    case = {
        "input_ids": ids,
        "tokens": tokenizer.convert_ids_to_tokens(ids),
        "decoded": tokenizer.decode(ids, clean_up_tokenization_spaces=False),
        "without_special": tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False),
        "cleaned": tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True),
    }
    if case["cleaned"] == case["without_special"]:
        case.pop("cleaned")
    if tokenizer.is_fast:
        case["offsets"] = [place for span in output["offset_mapping"] for place in span]
    return case


def full(tokenizer, call):
    """Every output of a call; a single text gets the batch axis that ours has."""
    call = {"padding": True, **call}
    for key in ("text", "text_pair"):
        if isinstance(call.get(key), str):
            call[key] = [call[key]]
    output = tokenizer(**call, return_special_tokens_mask=True, return_offsets_mapping=tokenizer.is_fast)
    if tokenizer.is_fast:
        rows = range(len(output["input_ids"]))
        output["sequence_ids"] = [
            [
                index if seen and index is not None else -1  # (unframed, padding would count as the first text's)
                for index, seen in zip(output.sequence_ids(row), output["attention_mask"][row], strict=True)
            ]
            for row in rows
        ]
    return dict(output)


def packed(data):
    """A file's bytes as text, or where they are none as base64."""
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


if __name__ == "__main__":
    main(sys.argv[1:])

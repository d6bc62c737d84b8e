"""The files of a tokenizer: what may be spread over several of them becomes one config; writing is atomic."""

import json
import os
import re
from pathlib import PurePath

from tokenizers import AddedToken, models
from tokenizers import Tokenizer as Backend

from keras_tfm.tokenizers.special import SPECIAL_TOKENS, added_token, content, named_special_tokens

DEFAULT = "default"  # the name of the chat template that is used where none is named
DEFAULT_FILE, NAMED_FILES = "chat_template.jinja", "chat_templates"


def read_config(preset):
    """tokenizer_config.json, the chat templates beside it, and for older folders the two files that it has replaced."""
    config = preset.json("tokenizer_config.json") or {}
    if templates := read_templates(preset):
        config["chat_template"] = templates
    if "added_tokens_decoder" in config:
        return config
    named = preset.json("special_tokens_map.json") or {}
    extra = [token for part in (config, named) for token in part.get("additional_special_tokens") or []]
    config = {**config, **named}
    if "additional_special_tokens" in config:  # else the class has its own
        config["additional_special_tokens"] = extra
    named = named_special_tokens(config)
    special = {content(token): token for token in [*named.pop("additional_special_tokens"), *named.values()]}
    config["added_tokens_decoder"] = {
        index: added_token(special[token], special=True) if token in special else AddedToken(token)
        for token, index in (preset.json("added_tokens.json") or {}).items()
    }
    return config


def read_templates(preset):
    """The templates of chat_template.jinja and the folder beside it: None, one, or a dict of named ones."""
    path = preset.path(DEFAULT_FILE)
    if path is None:
        return None
    named = {PurePath(name).stem: preset.path(f"{NAMED_FILES}/{name}") for name in preset.folder(NAMED_FILES)}
    templates = {DEFAULT: path, **{name: path for name, path in named.items() if path.suffix == ".jinja"}}
    templates = {name: read_text(path) for name, path in templates.items()}
    return templates if len(templates) > 1 else templates[DEFAULT]


def named_templates(stored):
    """A template, a dict, or the list of dicts that tokenizer_config.json may hold -> a template or a dict."""
    try:
        if isinstance(stored, list | tuple):
            stored = {each["name"]: each["template"] for each in stored}
        texts = [] if stored is None else stored.values() if isinstance(stored, dict) else [stored]
        "".join(texts)
    except (TypeError, KeyError):
        raise ValueError(f"chat_template must be a template (a str) or named ones, not {stored!r:.80}.") from None
    for name in stored if isinstance(stored, dict) else ():
        if not re.fullmatch(r"[\w-][\w.-]*", name):
            raise ValueError(f"{name!r} is no name for a chat template: use letters, digits, '_', '-' and '.'.")
    return stored


def stored_templates(templates):
    """What tokenizer_config.json holds of them, and {file name: text} of the files beside it."""
    if not isinstance(templates, dict):
        return templates, {} if templates is None else {DEFAULT_FILE: templates}
    files = {DEFAULT_FILE if name == DEFAULT else f"{NAMED_FILES}/{name}.jinja": templates[name] for name in templates}
    return [{"name": name, "template": templates[name]} for name in templates], files


def read_backend(path):
    """tokenizer.json -> `tokenizers.Tokenizer`; ValueError if it cannot be read."""
    try:
        return Backend.from_file(str(path))
    except Exception as error:  # the backend raises no narrower type
        raise ValueError(f"{path} is damaged or of an unknown format: {error}. Fetch or save it again.") from error


def recorded_options(backend):
    """The options that a tokenizer.json tells when it was saved with padding or truncation switched on."""
    options = {}
    if padding := backend.padding:
        options["pad_token"] = padding["pad_token"]
        options["pad_token_type_id"] = padding["pad_type_id"]
        options["padding_side"] = padding["direction"]
    if truncation := backend.truncation:
        options["truncation_side"] = truncation["direction"]
    return options


def read_text(path):
    """The text of a file; ValueError if it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is damaged: {error}. Fetch it again.") from error


def read_vocab(path, *needed):
    """A vocabulary, one token a line or in JSON -> {token: id}; ValueError if damaged or without one of `needed`."""
    text = read_text(path)
    if path.suffix == ".json":
        try:
            vocab = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}. Fetch it again.") from error
        if not isinstance(vocab, dict) or not all(type(index) is int for index in vocab.values()):
            raise ValueError(f"{path} is damaged: it maps no tokens to ids. Fetch it again.")
    else:
        vocab = {token: index for index, token in enumerate(text.removesuffix("\n").split("\n"))}
    lacking = [token for token in needed if token not in vocab]
    if lacking:
        raise ValueError(f"{path} lacks {', '.join(lacking)}: name the tokens that stand for them, cls_token=...")
    return vocab


def read_merges(path):
    """merges.txt, a header and one pair of tokens a line -> [(left, right)]; ValueError if it is damaged."""
    lines = read_text(path).split("\n")
    merges = [tuple(line.split(" ")) for line in lines[lines[0].startswith("#version") :] if line]
    if any(len(merge) != 2 for merge in merges):
        bad = next(" ".join(merge) for merge in merges if len(merge) != 2)
        raise ValueError(f"{path} is damaged: {bad!r:.80} is no pair of tokens. Fetch it again.")
    return merges


def read_pair_model(vocab_path, merges_path, *needed, **options):
    """vocab.json and merges.txt -> `models.BPE`; ValueError if one is damaged, or they don't belong together."""
    vocab, merges = read_vocab(vocab_path, *needed), read_merges(merges_path)
    try:
        return models.BPE(vocab, merges, **options)
    except Exception as error:  # the backend raises no narrower type
        raise ValueError(f"{merges_path} does not belong to {vocab_path.name}: {error}. Fetch both again.") from error


def backend_json(backend):
    """tokenizer.json of a backend, such that versions of the library before 0.20 read it as well: merges as "a b",
    and what Metaspace does said twice. (It always split at spaces then; where it must not, they refuse the file.)"""
    stored = json.loads(backend.to_str())
    merges = stored["model"].get("merges", [])
    if not any(" " in part for pair in merges for part in pair):
        stored["model"] |= {"merges": [" ".join(pair) for pair in merges]} if merges else {}
    parts = [stored["pre_tokenizer"] or {}, stored["decoder"] or {}]
    for part in parts:
        parts += part.get("pretokenizers", []) + part.get("decoders", [])  # of a sequence
        if part.get("type") == "Metaspace" and part["split"]:
            part["add_prefix_space"] = part["prepend_scheme"] != "never"
    return json.dumps(stored, indent=2, ensure_ascii=False)


def saved_config(tokenizer):
    """tokenizer_config.json: what was read, with the present state; paths and names of this machine left out."""
    config = {key: value for key, value in tokenizer.config.items() if not key.endswith("_file")}
    for former in ("name_or_path", "max_len", "chat_template"):
        config.pop(former, None)
    if not isinstance(config.get("extra_special_tokens"), dict):  # a list is another name of additional_special_tokens
        config.pop("extra_special_tokens", None)
    name = tokenizer.stored_as or type(tokenizer).__name__
    if name == "Tokenizer":  # it serves any class that has a tokenizer.json
        name = config.get("tokenizer_class") or "PreTrainedTokenizerFast"
    special = {key: getattr(tokenizer, key) for key in SPECIAL_TOKENS}
    templates, _ = stored_templates(tokenizer.chat_template)
    kept = ("model_max_length", "padding_side", "truncation_side", "clean_up_tokenization_spaces")
    flags = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
    return {
        **config,
        **{key: token for key, token in special.items() if token is not None or key in config},
        "additional_special_tokens": tokenizer.additional_special_tokens,
        **{key: getattr(tokenizer, key) for key in kept},
        **({} if templates is None else {"chat_template": templates}),
        "added_tokens_decoder": {
            str(index): {flag: getattr(token, flag) for flag in flags}
            for index, token in sorted(tokenizer.backend.get_added_tokens_decoder().items())
        },
        "tokenizer_class": name.replace("TokenizersBackend", "PreTrainedTokenizerFast"),  # all versions know the latter
    }


def json_bytes(value):
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def write(path, data):
    """Write a file that takes its name only when complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)

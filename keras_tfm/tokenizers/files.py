"""The files of a tokenizer: what may be spread over several of them becomes one config; writing is atomic."""

import json
import os

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

from keras_tfm.tokenizers.special import added_token, content, named_special_tokens


def read_config(preset):
    """tokenizer_config.json, and for folders from before it held everything, the two files beside it."""
    config = preset.json("tokenizer_config.json") or {}
    if "added_tokens_decoder" in config:
        return config
    named = preset.json("special_tokens_map.json") or {}
    extra = [token for part in (config, named) for token in part.get("additional_special_tokens") or []]
    config = {**config, **named, "additional_special_tokens": extra}
    named = named_special_tokens(config)
    special = {content(token): token for token in [*named.pop("additional_special_tokens"), *named.values()]}
    config["added_tokens_decoder"] = {
        index: added_token(special[token], special=True) if token in special else AddedToken(token)
        for token, index in (preset.json("added_tokens.json") or {}).items()
    }
    return config


def read_backend(path):
    try:
        return Backend.from_file(str(path))
    except Exception as error:  # the backend raises no narrower type
        raise ValueError(f"{path} is damaged or of an unknown format: {error}. Fetch or save it again.") from error


def json_bytes(value):
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def write(path, data):
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)

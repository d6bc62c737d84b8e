"""The special tokens of a tokenizer: what the Hub's files say of them, and the attributes that users read and set."""

from tokenizers import AddedToken

SPECIAL_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class SpecialToken:
    """An attribute such as `cls_token`: a token of the vocabulary, or None."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, tokenizer, owner=None):
        return self if tokenizer is None else tokenizer._special.get(self.name)

    def __set__(self, tokenizer, token):
        if token is not None and tokenizer.backend.token_to_id(content(token)) is None:
            way_out = f"add_special_tokens({{{self.name!r}: {token!r}}})"
            raise ValueError(f"{token!r} is not in the vocabulary: use {way_out}.")
        tokenizer._special[self.name] = content(token)


class SpecialTokenId:
    """An attribute such as `cls_token_id`: the id of `cls_token`, or None."""

    def __set_name__(self, owner, name):
        self.name = name.removesuffix("_id")

    def __get__(self, tokenizer, owner=None):
        if tokenizer is None:
            return self
        token = getattr(tokenizer, self.name)
        return None if token is None else tokenizer.backend.token_to_id(token)

    def __set__(self, tokenizer, index):
        setattr(tokenizer, self.name, tokenizer.convert_ids_to_tokens(index))


class SpecialTokens:
    """The part of a tokenizer that knows its special tokens; it needs `backend` and `add_tokens`."""

    bos_token, bos_token_id = SpecialToken(), SpecialTokenId()
    eos_token, eos_token_id = SpecialToken(), SpecialTokenId()
    unk_token, unk_token_id = SpecialToken(), SpecialTokenId()
    sep_token, sep_token_id = SpecialToken(), SpecialTokenId()
    pad_token, pad_token_id = SpecialToken(), SpecialTokenId()
    cls_token, cls_token_id = SpecialToken(), SpecialTokenId()
    mask_token, mask_token_id = SpecialToken(), SpecialTokenId()

    def _read_special_tokens(self, config):
        """Name the special tokens of a config and see that the backend treats all of them as such."""
        self._special, self.additional_special_tokens = {}, []
        tokens = self._name_special_tokens(named_special_tokens(config))
        known = {token.content for token in self.backend.get_added_tokens_decoder().values()}
        self.backend.add_special_tokens([token for token in tokens if token.content not in known])

    @property
    def special_tokens_map(self):
        """Name -> special token, for those that there are."""
        named = {key: self._special[key] for key in SPECIAL_TOKENS if self._special.get(key) is not None}
        extra = self.additional_special_tokens
        return named | ({"additional_special_tokens": list(extra)} if extra else {})

    @property
    def all_special_tokens(self):
        """The special tokens, each once."""
        named = [self._special[key] for key in SPECIAL_TOKENS if self._special.get(key) is not None]
        return list(dict.fromkeys(named + self.additional_special_tokens))

    @property
    def all_special_ids(self):
        """Their ids."""
        return self.convert_tokens_to_ids(self.all_special_tokens)

    def add_special_tokens(self, tokens):
        """Name special tokens, such as `{"pad_token": "[PAD]", "additional_special_tokens": ["<a>", "<b>"]}`.

        Tokens outside the vocabulary are added to it; returns how many tokens were new. The list replaces the former.
        """
        return self.add_tokens(self._name_special_tokens(tokens), special_tokens=True)

    def _name_special_tokens(self, tokens):
        """Record the names of special tokens; returns them as the backend wants them."""
        unknown = tokens.keys() - {*SPECIAL_TOKENS, "additional_special_tokens"}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: special tokens are {', '.join(SPECIAL_TOKENS)}.")
        tokens = dict(tokens)
        extra = tokens.pop("additional_special_tokens", None)
        if extra is not None:
            self.additional_special_tokens = list(dict.fromkeys(content(token) for token in extra))
        self._special |= {key: content(token) for key, token in tokens.items()}
        return [added_token(token, special=True) for token in [*tokens.values(), *(extra or ())] if token is not None]


def content(token):
    """A special token as a str: the Hub's files hold strings, dicts and null, callers may give AddedTokens."""
    return token["content"] if isinstance(token, dict) else token if token is None else str(token)


def added_token(token, **flags):
    """A token of any of those forms for the backend; `flags` hold where the token does not say otherwise."""
    if isinstance(token, AddedToken):
        return token
    if isinstance(token, dict):
        flags |= {key: value for key, value in token.items() if key not in ("content", "id", "__type")}
    return AddedToken(content(token), **flags)


def with_flags(defaults, config):
    """`config` over `defaults`; a special token that it names by a str keeps the flags of the default."""
    merged = {**defaults, **config}
    for key, default in defaults.items():
        if isinstance(default, AddedToken) and isinstance(merged[key], str):
            flags = ("single_word", "lstrip", "rstrip", "normalized")
            merged[key] = AddedToken(merged[key], **{flag: getattr(default, flag) for flag in flags})
    return merged


def named_special_tokens(config):
    """Name -> token, as `add_special_tokens` takes them; the additional ones have two names in the Hub's files."""
    extra = config.get("extra_special_tokens") or []
    extra = extra.values() if isinstance(extra, dict) else extra
    named = {key: config[key] for key in SPECIAL_TOKENS if config.get(key) is not None}
    return {**named, "additional_special_tokens": [*(config.get("additional_special_tokens") or []), *extra]}

"""Code Llama's tokenizer: Llama's, and programs with a gap to fill."""

from contextlib import contextmanager

from tokenizers import normalizers, pre_tokenizers

from keras_tfm.tokenizers.base import ONE_CALL, Tokenizer
from keras_tfm.tokenizers.frames import frame
from keras_tfm.tokenizers.llama import LlamaTokenizer
from keras_tfm.tokenizers.special import content

INFILLING = ("prefix_token", "middle_token", "suffix_token", "eot_token")


def named_token(name):
    return property(lambda tokenizer: content(tokenizer.config[name]), doc=f"The option `{name}`.")


def token_id(name):
    return property(
        lambda tokenizer: tokenizer.backend.token_to_id(getattr(tokenizer, name) or ""), doc=f"Of `{name}`."
    )


class CodeLlamaTokenizer(LlamaTokenizer):
    """SentencePiece with `<s> A` and `<s> A <s> B`; shorter texts are padded at the left.

    A text with `<FILL_ME>` inside becomes `<s> <PRE> before <SUF> behind <MID>`, and what the model generates fills the
    gap. `suffix_first=True` in a call: `<s> <PRE> <SUF> behind <MID> before`. A gap at the end needs no such format.

    Options besides those of `Tokenizer`: `add_bos_token` (default True), `add_eos_token` (default False),
    `fill_token` (default "<FILL_ME>"; None: no gaps), and the tokens of the format, `prefix_token`, `middle_token`,
    `suffix_token` and `eot_token`.
    """

    defaults = {
        **LlamaTokenizer.defaults,
        "legacy": False,
        "prefix_token": "\u2581<PRE>",
        "middle_token": "\u2581<MID>",
        "suffix_token": "\u2581<SUF>",
        "eot_token": "\u2581<EOT>",
        "fill_token": "<FILL_ME>",
    }
    _suffix_first = False
    prefix_token, prefix_id = named_token("prefix_token"), token_id("prefix_token")
    middle_token, middle_id = named_token("middle_token"), token_id("middle_token")
    suffix_token, suffix_id = named_token("suffix_token"), token_id("suffix_token")
    eot_token, eot_id = named_token("eot_token"), token_id("eot_token")

    def __init__(self, backend, /, **config):
        tokens = {**self.defaults, **config}
        named = [content(tokens[name]) for name in INFILLING if tokens[name] is not None]
        extra = [content(token) for token in config.get("additional_special_tokens") or []]
        super().__init__(backend, **config | {"additional_special_tokens": list(dict.fromkeys(extra + named))})

    def __call__(self, text=None, text_pair=None, *, suffix_first=False, **options):
        with ONE_CALL:
            self._suffix_first = suffix_first
            return super().__call__(text, text_pair, **options)

    __call__.__doc__ = f"{Tokenizer.__call__.__doc__}\n        suffix_first: what stands behind a gap comes first."

    def _encode(self, rows, paired, framed, truncation=None, limit=None, stride=0, words=False):
        gap = None if paired or words else self.config["fill_token"]
        parts = {index: row.split(gap) for index, row in enumerate(rows) if gap and gap in row}
        if several := [index for index in parts if len(parts[index]) > 2]:
            raise ValueError(f"text[{several[0]}] has more than one {gap}.")
        plain = [parts[index][0] if index in parts else row for index, row in enumerate(rows)]
        encoded = super()._encode(plain, paired, framed, truncation, limit, stride, words)
        gaps = {index: (f" {before}", behind) for index, (before, behind) in parts.items() if behind}
        if gaps:
            with ONE_CALL, self._infilling(framed):
                filled = super()._encode([*gaps.values()], True, True, truncation, limit, stride)
            for index, encoding in zip(gaps, filled, strict=True):
                encoded[index] = encoding
        return encoded

    @contextmanager
    def _infilling(self, framed):
        """The backend puts no spaces before texts and the tokens of the format around the two of a pair."""
        prefix, middle, suffix = self.prefix_token, self.middle_token, self.suffix_token
        if None in (prefix, middle, suffix):
            raise ValueError("a gap needs prefix_token, middle_token and suffix_token: name them, or fill_token=None.")
        parts = [prefix, suffix, "$B", middle, "$A"] if self._suffix_first else [prefix, "$A", suffix, "$B", middle]
        first = [self.bos_token] if framed and self.add_bos_token else []
        last = [self.eos_token] if framed and self.add_eos_token else []
        backend = self.backend
        usual = backend.normalizer, backend.pre_tokenizer, backend.post_processor
        backend.normalizer = normalizers.Replace(" ", "\u2581")
        backend.pre_tokenizer = pre_tokenizers.Sequence([])
        backend.post_processor = frame(backend, "$A", " ".join([*first, *parts, *last]))
        try:
            yield
        finally:
            backend.normalizer, backend.pre_tokenizer, backend.post_processor = usual


CodeLlamaTokenizerFast = CodeLlamaTokenizer

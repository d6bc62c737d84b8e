"""Tokenizers from what GGUF files say of them, so that texts get the ids that llama.cpp gives them."""

import warnings

from tokenizers import AddedToken, Regex, models, pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level
from keras_tfm.tokenizers.frames import sentence_frame
from keras_tfm.tokenizers.qwen2 import PATTERN as QWEN2
from keras_tfm.tokenizers.sentencepiece import BPE, BYTE, CONTROL, USER_DEFINED, SentencePieceModel, spaced_decoder

NORMAL = 1
SPECIAL = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# What llama.cpp calls the ways to split a text before pairs are merged; the parts of a pattern are split by the next.
SPLITS = {
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo", "jais"), (GPT2,)),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"), (r"\p{N}", GPT2)),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "dbrx", "smaug-bpe"), (LLAMA3,)),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez"), (QWEN2,)),
    "tekken": (TEKKEN,),
    "deepseek-coder": (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"),
}
# With these a word of the vocabulary is one token even if no merges make it, and a text begins with `bos_token` where
# the file does not say.
WHOLE_WORDS = ("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "tekken")


def read_tokenizer(preset, **overrides):
    """The tokenizer of an open GGUF preset, and in its `config` the chat template; `overrides` as for `Tokenizer`.

    Control tokens are special ones, user-defined tokens are added ones. A file that does not name how texts are split
    has GPT-2's way, with a warning.

    Raises:
        ValueError: no tokenizer, one of an unknown kind, or a damaged one.
    """
    said = _Said(preset)
    kind = said.get("ggml.model", str)
    if kind not in BACKENDS:
        raise said.wrong(f"its tokenizer is of the kind {kind!r:.80}, and {' and '.join(BACKENDS)} can be read")
    said.read_vocabulary()
    try:
        backend, config = BACKENDS[kind](said)
    except ValueError:
        raise
    except Exception as error:  # the backend raises no narrower type
        raise said.wrong(f"its tokenizer is damaged ({error})") from None
    added = {token: said.types[i] == CONTROL for i, token in said.added.items()}
    backend.add_tokens([AddedToken(token, special=special, normalized=False) for token, special in added.items()])
    named = {name: said.token(key) for name, key in SPECIAL.items()}
    config |= {name: token for name, token in named.items() if token is not None}
    template, limit = said.get("chat_template", str, None), preset.metadata.get(f"{said.architecture}.context_length")
    config |= {
        "additional_special_tokens": [t for t, special in added.items() if special and t not in named.values()],
        "add_bos_token": said.get("ggml.add_bos_token", bool, config["add_bos_token"]),
        "add_eos_token": said.get("ggml.add_eos_token", bool, False),
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "left",
        **({} if template is None else {"chat_template": template}),
        **({} if limit is None else {"model_max_length": limit}),
        **overrides,
    }
    backend.post_processor = sentence_frame(backend, config)
    return Tokenizer(backend, **config)


def _byte_level(said):
    """GPT-2's kind: pairs of bytes."""
    split = said.get("ggml.pre", str, "default")
    if split == "default":
        warnings.warn(
            f"{said.source} does not say how its tokenizer splits texts: it is done as in GPT-2. For the exact ids use "
            "the tokenizer of the original checkpoint.",
            stacklevel=4,
        )
        split = "gpt-2"
    if split not in SPLITS:
        raise ValueError(
            f"{said.source}: its tokenizer splits texts in the way {split!r:.80}, and those known are "
            f"{', '.join(SPLITS)}: use the tokenizer of the original checkpoint."
        )
    merges = [tuple(merge.split(" ")) for merge in said.list("ggml.merges", str)]
    vocab = {token: i for i, token in enumerate(said.tokens)}
    backend = byte_level(models.BPE(vocab, merges, ignore_merges=split in WHOLE_WORDS), GPT2)
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in SPLITS[split]]
    backend.pre_tokenizer = pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(False, use_regex=False)])
    return backend, {"add_bos_token": split in WHOLE_WORDS}


def _sentencepiece(said):
    """Llama's kind: SentencePiece's pairs, those of the highest scores first, and bytes for unknown characters."""
    pieces = said.tokens
    kinds = [CONTROL if i in said.added else kind for i, kind in enumerate(said.types)]  # no merges make them
    prefixed = said.get("ggml.add_space_prefix", bool, True)
    model = SentencePieceModel(
        path=said.source,
        pieces=pieces,
        scores=said.list("ggml.scores", float, len(pieces)),
        kinds=kinds,
        algorithm=BPE,
        unk_id=said.id("unknown", 0),
        byte_fallback=BYTE in kinds,
        charsmap=b"",
        keeps_spaces=True,
    )
    backend = model.spaced_backend("always" if prefixed else "never")
    backend.decoder = spaced_decoder(strips=prefixed)
    defaults = {"bos_token": 1, "eos_token": 2, "unk_token": 0}
    return backend, {"add_bos_token": True, **{name: pieces[i] for name, i in defaults.items() if i < len(pieces)}}


BACKENDS = {"llama": _sentencepiece, "gpt2": _byte_level}


class _Said:
    """What a file says of its tokenizer; ValueError naming the file where that is missing or damaged."""

    def __init__(self, preset):
        self.source, self._metadata = preset.name, preset.metadata
        self.architecture = str(self._metadata.get("general.architecture"))

    def read_vocabulary(self):
        """Sets `tokens`, their `types`, and {id: token} of the `added` ones."""
        self.tokens = self.list("ggml.tokens", str)
        self.types = [NORMAL] * len(self.tokens)
        if "tokenizer.ggml.token_type" in self._metadata:
            self.types = self.list("ggml.token_type", int, len(self.tokens))
        added = (CONTROL, USER_DEFINED)
        self.added = {i: token for i, token in enumerate(self.tokens) if self.types[i] in added}

    def get(self, key, kind, *default):
        value = self._metadata.get(f"tokenizer.{key}", *default)
        if not isinstance(value, kind) and value not in default:
            raise self.wrong(f"its metadata have tokenizer.{key}={value!r:.80}, where a {kind.__name__} is needed")
        return value

    def list(self, key, kind, length=None):
        values = self.get(key, list)
        if not all(isinstance(value, kind) for value in values) or length not in (None, len(values)):
            raise self.wrong(f"its tokenizer.{key} is not the list that is needed")
        return values

    def id(self, name, default=None):
        """The id of a special token; one outside the vocabulary counts as none, as in llama.cpp."""
        index = self._metadata.get(f"tokenizer.ggml.{name}_token_id", default)
        return index if type(index) is int and 0 <= index < len(self.tokens) else default

    def token(self, name):
        index = self.id(name)
        return None if index is None else self.tokens[index]

    def wrong(self, what):
        return ValueError(f"{self.source}: {what}; download or convert the model again.")

"""The tokenizer of T5 and of mT5, FLAN-T5, UL2 and MADLAD-400: SentencePiece with sentinels."""

from tokenizers import AddedToken, pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import end_frame
from keras_tfm.tokenizers.sentencepiece import read_model
from keras_tfm.tokenizers.special import content


class Sentinels:
    """The part of a `Tokenizer` that knows the sentinels, `extra_ids` of them."""

    def __init__(self, backend, /, **config):
        count = config.get("extra_ids", self.defaults["extra_ids"])
        config["additional_special_tokens"] = with_sentinels(config.get("additional_special_tokens"), count)
        super().__init__(backend, **config)

    def get_sentinel_tokens(self):
        """The tokens `<extra_id_0>` and so on."""
        return [token for token in self.additional_special_tokens if "<extra_id_" in token]

    def get_sentinel_token_ids(self):
        """Their ids."""
        return self.convert_tokens_to_ids(self.get_sentinel_tokens())


class T5Tokenizer(Sentinels, Tokenizer):
    """SentencePiece with `A </s>` and `A </s> B </s>`.

    Options besides those of `Tokenizer`: `extra_ids` (default 100), the number of sentinels, `<extra_id_0>` and so on,
    which come after the file's pieces, the last one first. For a spiece.model (a tokenizer.json says it itself) also
    `legacy` (default True: a space is put before each stretch of text between special tokens; False: only at the
    beginning).

    ValueError where `additional_special_tokens` has another number of sentinels than `extra_ids`.
    """

    vocab_files = ("spiece.model",)
    defaults = {
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "extra_ids": 100,
        "legacy": True,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        model = read_model(files["spiece.model"])
        extra = sentinels(config["extra_ids"])
        backend = model.backend([*model.vocab, *((token, 0.0) for token in reversed(extra))])
        if config["legacy"] is False:
            backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        backend.add_special_tokens([AddedToken(token, lstrip=True, rstrip=True, normalized=False) for token in extra])
        backend.post_processor = end_frame(backend, config)
        return backend


def sentinels(count):
    return [f"<extra_id_{number}>" for number in range(count)]


def with_sentinels(additional, count):
    """The additional special tokens, with `count` sentinels among them."""
    if additional is None:
        return sentinels(count)
    named = [content(token) for token in additional if "<extra_id_" in content(token)]
    if named and count and len(named) != count:
        raise ValueError(f"additional_special_tokens has {len(named)} sentinels and extra_ids={count}: drop either.")
    return [*additional, *(sentinels(count) if not named else ())]


T5TokenizerFast = MT5Tokenizer = MT5TokenizerFast = T5Tokenizer

"""Pegasus's tokenizer, also that of Pegasus-X and BigBird-Pegasus: SentencePiece behind masks and reserved tokens."""

from tokenizers import pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import joint_frame
from keras_tfm.tokenizers.sentencepiece import read_model
from keras_tfm.tokenizers.special import content


class PegasusTokenizer(Tokenizer):
    """SentencePiece with `A </s>` and `A B </s>`.

    Options besides those of `Tokenizer`: `mask_token_sent` (default "<mask_1>"), which stands for a whole sentence as
    `mask_token` ("<mask_2>") does for a word, and `offset` (default 103), by how much the ids are above the file's: so
    many ids before its pieces are those of the masks and of reserved tokens, `<unk_2>` and so on.

    ValueError where `additional_special_tokens` names a reserved token twice.
    """

    vocab_files = ("spiece.model",)
    defaults = {
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "mask_token": "<mask_2>",
        "mask_token_sent": "<mask_1>",
        "offset": 103,
    }
    model_input_names = ("input_ids", "attention_mask")

    def __init__(self, backend, /, **config):
        options = {**self.defaults, **config}
        offset, named = options["offset"], config.get("additional_special_tokens")
        sentence = options["mask_token_sent"]
        extra = list(dict.fromkeys(content(token) for token in (sentence, *(named or ())) if token is not None))
        extra += reserved(2, offset) if named is None else reserved(len(extra), offset - 1)
        if len({*extra}) < len(extra):
            raise ValueError(f"additional_special_tokens must not name reserved tokens out of order: {extra}.")
        super().__init__(backend, **config | {"additional_special_tokens": extra})

    @classmethod
    def build(cls, files, config):
        model, offset = read_model(files["spiece.model"]), config["offset"]
        first = [config["pad_token"], config["eos_token"]]
        if config["mask_token_sent"] is not None:  # else the mask is one of the file's pieces
            first += [content(config["mask_token_sent"]), config["mask_token"]]
        vocab = [(token, 0.0) for token in first] + [(token, -100.0) for token in reserved(2, offset)]
        backend = model.backend([*vocab, *model.vocab[2:]], unk_id=model.unk_id + offset)
        backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), backend.pre_tokenizer])
        backend.post_processor = joint_frame(backend, config)
        return backend


def reserved(start, stop):
    """The tokens whose pieces the model was trained without."""
    return [f"<unk_{number}>" for number in range(start, stop)]


PegasusTokenizerFast = PegasusTokenizer

"""ALBERT's tokenizer: SentencePiece after lower-casing and without accents."""

from tokenizers import AddedToken, Regex, normalizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import bert_frame
from keras_tfm.tokenizers.sentencepiece import read_model

WHITESPACE = r"[\s\x1c-\x1f]+"  # what str.split splits at


class AlbertTokenizer(Tokenizer):
    """SentencePiece with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.

    Options besides those of `Tokenizer`, which tell how to build it from spiece.model (a tokenizer.json has them
    already): `do_lower_case` (default True), `keep_accents` (default False) and `remove_space` (default True: any
    whitespace is a space).
    """

    vocab_files = ("spiece.model",)
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "unk_token": "<unk>",
        "sep_token": "[SEP]",
        "pad_token": "<pad>",
        "cls_token": "[CLS]",
        "mask_token": AddedToken("[MASK]", lstrip=True, normalized=False),
        "do_lower_case": True,
        "keep_accents": False,
        "remove_space": True,
    }

    @classmethod
    def build(cls, files, config):
        backend = albert_backend(files["spiece.model"], config)
        backend.post_processor = bert_frame(backend, config)
        return backend


def albert_backend(path, config):
    """A `.model` file and options as above -> a `tokenizers.Tokenizer` without a post-processor."""
    model = read_model(path)
    before = [normalizers.Replace(Regex(WHITESPACE), " ")] if config["remove_space"] else []
    before += [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    if not config["keep_accents"]:
        before += [normalizers.NFKD(), normalizers.StripAccents()]
    if config["do_lower_case"]:
        before.append(normalizers.Lowercase())
    vocab = [(piece, score - 100 * ends_in_digit_and_comma(piece)) for piece, score in model.vocab]
    return model.backend(vocab, before=before)


def ends_in_digit_and_comma(piece):
    """Such pieces (a comma between digits) are not for use: the comma is a token of its own."""
    return piece[-1:] == "," and piece[-2:-1].isdigit()


AlbertTokenizerFast = AlbertTokenizer

"""Gemma's tokenizer: SentencePiece pairs across spaces, with no space put before a text."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.llama import LlamaTokenizer
from keras_tfm.tokenizers.sentencepiece import read_model

TAB = "<0x09>"  # which the file has as a byte only


class GemmaTokenizer(LlamaTokenizer):
    """SentencePiece with `<bos> A` and `<bos> A <bos> B`; shorter texts are padded at the left.

    Options besides those of `Tokenizer`: `add_bos_token` (default True) and `add_eos_token` (default False).
    """

    defaults = {
        **LlamaTokenizer.defaults,
        "bos_token": AddedToken("<bos>", normalized=False),
        "eos_token": AddedToken("<eos>", normalized=False),
        "pad_token": AddedToken("<pad>", normalized=False),
    }

    @classmethod
    def build(cls, files, config):
        model = read_model(files["tokenizer.model"])
        vocab = [("\t" if piece == TAB and "\t" not in model.pieces else piece, score) for piece, score in model.vocab]
        backend = model.spaced_backend("never", vocab=vocab)
        backend.add_tokens([AddedToken(symbol, normalized=False) for symbol in model.symbols])
        return backend


GemmaTokenizerFast = GemmaTokenizer

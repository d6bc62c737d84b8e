"""BARTpho's tokenizer, that of syllables: XLM-RoBERTa's pieces, of which Vietnamese needs few."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.frames import roberta_frame
from keras_tfm.tokenizers.phobert import fairseq_vocab
from keras_tfm.tokenizers.sentencepiece import read_model
from keras_tfm.tokenizers.slow import Pieces, SlowTokenizer, slow_backend
from keras_tfm.tokenizers.special import content
from keras_tfm.tokenizers.xlm_roberta import XLMRobertaTokenizer


class BartphoTokenizer(SlowTokenizer):
    """SentencePiece with `<s> A </s>` and `<s> A </s></s> B </s>`; dict.txt lists the pieces that have an id."""

    vocab_files = ("sentencepiece.bpe.model", "dict.txt")
    defaults = {**XLMRobertaTokenizer.defaults, "mask_token": AddedToken("<mask>", lstrip=True)}
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        vocab = fairseq_vocab(files["dict.txt"], config)
        vocab.setdefault(content(config["mask_token"]), len(vocab))
        pieces = Pieces(read_model(files["sentencepiece.bpe.model"]).splitter())
        return slow_backend(vocab, pieces, roberta_frame, config)

    def join(self, tokens):
        return "".join(tokens).replace("\u2581", " ").strip()

    join.__doc__ = SlowTokenizer.join.__doc__

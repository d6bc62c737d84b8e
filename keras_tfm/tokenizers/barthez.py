"""BARThez's tokenizer: SentencePiece with the ids of its file."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import roberta_frame
from keras_tfm.tokenizers.sentencepiece import read_model
from keras_tfm.tokenizers.xlm_roberta import XLMRobertaTokenizer


class BarthezTokenizer(Tokenizer):
    """SentencePiece with `<s> A </s>` and `<s> A </s></s> B </s>`."""

    vocab_files = ("sentencepiece.bpe.model",)
    defaults = {**XLMRobertaTokenizer.defaults, "mask_token": AddedToken("<mask>", lstrip=True)}
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        backend = read_model(files["sentencepiece.bpe.model"]).backend()
        backend.post_processor = roberta_frame(backend, config)
        return backend


BarthezTokenizerFast = BarthezTokenizer

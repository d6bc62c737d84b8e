"""CamemBERT's tokenizer: SentencePiece with the ids that fairseq gave its pieces."""

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import roberta_frame
from keras_tfm.tokenizers.sentencepiece import read_model
from keras_tfm.tokenizers.xlm_roberta import XLMRobertaTokenizer

UNUSED = ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]  # ids that fairseq gave twice


class CamembertTokenizer(Tokenizer):
    """SentencePiece with `<s> A </s>` and `<s> A </s></s> B </s>`."""

    vocab_files = ("sentencepiece.bpe.model",)
    defaults = {**XLMRobertaTokenizer.defaults, "additional_special_tokens": UNUSED}
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        model = read_model(files["sentencepiece.bpe.model"])
        first = [(token, 0.0) for token in (UNUSED[0], "<pad>", UNUSED[1], "<unk>")]
        vocab = [*first, (UNUSED[2], -100.0), *model.vocab[1:], ("<mask>", 0.0)]
        backend = model.backend(vocab, unk_id=3)
        backend.post_processor = roberta_frame(backend, config)
        return backend


CamembertTokenizerFast = CamembertTokenizer

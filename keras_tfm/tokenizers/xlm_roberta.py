"""XLM-RoBERTa's tokenizer, and XLM-V's: SentencePiece with the ids that fairseq gave its pieces."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import roberta_frame
from keras_tfm.tokenizers.sentencepiece import read_model


class XLMRobertaTokenizer(Tokenizer):
    """SentencePiece with `<s> A </s>` and `<s> A </s></s> B </s>`."""

    vocab_files = ("sentencepiece.bpe.model",)
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False),
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        model = read_model(files["sentencepiece.bpe.model"])
        first = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]  # the file has <unk>, <s> and </s>
        backend = model.backend([*first, *model.vocab[3:], ("<mask>", 0.0)], unk_id=3)
        backend.post_processor = roberta_frame(backend, config)
        return backend


XLMRobertaTokenizerFast = XLMRobertaTokenizer

"""The tokenizer of DeBERTa v2 and v3: SentencePiece."""

from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import bert_frame
from keras_tfm.tokenizers.sentencepiece import read_model


class DebertaV2Tokenizer(Tokenizer):
    """SentencePiece with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.

    Options besides those of `Tokenizer`, which tell how to build it from spm.model (a tokenizer.json has them already):
    `do_lower_case` (default False) and `split_by_punct` (default False: no token holds punctuation and letters).
    """

    vocab_files = ("spm.model",)
    defaults = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "unk_token": AddedToken("[UNK]", normalized=True),
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
        "do_lower_case": False,
        "split_by_punct": False,
    }

    @classmethod
    def build(cls, files, config):
        model = read_model(files["spm.model"])
        lower = [normalizers.Lowercase()] if config["do_lower_case"] else []
        backend = model.backend(before=[*lower, normalizers.Strip()])
        if config["split_by_punct"]:
            parts = [pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Split(Regex(r" +\z"), "removed")]
            backend.pre_tokenizer = pre_tokenizers.Sequence([*parts, backend.pre_tokenizer])
        backend.post_processor = bert_frame(backend, config)
        return backend


DebertaV2TokenizerFast = DebertaV2Tokenizer

"""BERT's tokenizer: clean, lower-case and split at spaces, punctuation and CJK characters, then WordPiece."""

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.files import read_vocab


class BertTokenizer(Tokenizer):
    """WordPiece with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.

    Options besides those of `Tokenizer`: `do_lower_case` (default True), `tokenize_chinese_chars` (default True: every
    CJK ideograph is a word) and `strip_accents` (default None: as `do_lower_case`).
    """

    vocab_files = ("vocab.txt",)
    defaults = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
        "do_lower_case": True,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
    }

    @classmethod
    def build(cls, files, config):
        unk_token, cls_token, sep_token = config["unk_token"], config["cls_token"], config["sep_token"]
        vocab = read_vocab(files["vocab.txt"], unk_token, cls_token, sep_token)
        backend = Backend(models.WordPiece(vocab, unk_token=unk_token, max_input_chars_per_word=100))
        backend.normalizer = normalizers.BertNormalizer()
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.post_processor = processors.TemplateProcessing(
            single=f"{cls_token}:0 $A:0 {sep_token}:0",
            pair=f"{cls_token}:0 $A:0 {sep_token}:0 $B:1 {sep_token}:1",
            special_tokens=[(cls_token, vocab[cls_token]), (sep_token, vocab[sep_token])],
        )
        backend.decoder = decoders.WordPiece(prefix="##")
        return backend

    @classmethod
    def configure(cls, backend, config):
        normalizer = backend.normalizer
        if isinstance(normalizer, normalizers.BertNormalizer):
            normalizer.lowercase = config["do_lower_case"]
            normalizer.handle_chinese_chars = config["tokenize_chinese_chars"]
            normalizer.strip_accents = config["strip_accents"]
            backend.normalizer = normalizer


BertTokenizerFast = BertTokenizer

"""BERT's tokenizer: clean, lower-case and split at spaces, punctuation and CJK characters, then WordPiece."""

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import bert_frame


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
        needed = [config[name] for name in ("unk_token", "cls_token", "sep_token")]
        vocab = read_vocab(files["vocab.txt"], *needed)
        backend = Backend(models.WordPiece(vocab, unk_token=config["unk_token"], max_input_chars_per_word=100))
        backend.normalizer = normalizers.BertNormalizer()
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.post_processor = bert_frame(backend, config)
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

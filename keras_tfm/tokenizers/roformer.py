"""RoFormer's tokenizer: words as jieba finds them where the vocabulary has them, else characters, then WordPiece."""

from tokenizers import normalizers, pre_tokenizers

from keras_tfm.tokenizers.bert import BertTokenizer
from keras_tfm.tokenizers.slow import PythonBackend, imported


class RoFormerTokenizer(BertTokenizer):
    """WordPiece of Chinese words, with `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.

    Options besides those of `Tokenizer`: `do_lower_case` (default True) and `strip_accents` (default None: as
    `do_lower_case`). It needs the package rjieba; ImportError without it. A tokenizer.json cannot say so and names
    BERT's words in its place, which are not used.
    """

    def __init__(self, backend, /, **config):
        super().__init__(backend, **config)
        words = JiebaWords(self.get_vocab())
        self.backend = PythonBackend(backend, words, stand_in=pre_tokenizers.BertPreTokenizer())

    @classmethod
    def build(cls, files, config):
        backend = super().build(files, config)
        backend.normalizer = normalizers.BertNormalizer(handle_chinese_chars=False)
        return backend

    @classmethod
    def configure(cls, backend, config):
        normalizer = backend.normalizer
        if isinstance(normalizer, normalizers.BertNormalizer):
            normalizer.lowercase, normalizer.strip_accents = config["do_lower_case"], config["strip_accents"]
            backend.normalizer = normalizer


class JiebaWords:
    """A pre-tokenizer: the words of `vocab`, and the others with every CJK ideograph apart."""

    def __init__(self, vocab):
        imported("rjieba", "rjieba", "RoFormerTokenizer")
        self.vocab = vocab
        self.spaced = normalizers.BertNormalizer(clean_text=False, strip_accents=False, lowercase=False)

    def pre_tokenize(self, pretok):
        pretok.split(self.split)

    def split(self, index, text):
        import rjieba

        parts = []
        for word, start, end in rjieba.tokenize(str(text), hmm=False):
            if word in self.vocab:
                parts.append(text[start:end])
                continue
            for part in self.spaced.normalize_str(word).split():
                parts.append(text[start : start + len(part)])
                start += len(part)
        return parts


RoFormerTokenizerFast = RoFormerTokenizer

"""CPM's tokenizer: SentencePiece of Chinese words, as jieba cuts them; spaces and line ends are pieces."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.albert import albert_backend
from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import frame
from keras_tfm.tokenizers.slow import imported

BLANKS = str.maketrans(" \n", "\u2582\u2583")


class CpmTokenizer(Tokenizer):
    """SentencePiece with `A <sep> <cls>` and `A <sep> B <sep> <cls>`.

    Options besides those of `Tokenizer`: `cut_words` (default True: words are cut with the package jieba, as those
    that the model was trained on; ImportError without it. The reference's slow class doesn't), and those of
    `AlbertTokenizer`, `do_lower_case` being False by default. Offsets count in the text as it was cut.
    """

    vocab_files = ("spiece.model",)
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "<sep>",
        "pad_token": "<pad>",
        "cls_token": "<cls>",
        "mask_token": AddedToken("<mask>", lstrip=True),
        "additional_special_tokens": ["<eop>", "<eod>"],
        "pad_token_type_id": 3,
        "do_lower_case": False,
        "keep_accents": False,
        "remove_space": True,
        "cut_words": True,
    }

    @classmethod
    def build(cls, files, config):
        backend = albert_backend(files["spiece.model"], config)
        sep, cls_ = config["sep_token"], config["cls_token"]
        backend.post_processor = frame(backend, f"$A {sep} {cls_}:2", f"$A {sep} $B:1 {sep}:1 {cls_}:2")
        return backend

    @classmethod
    def configure(cls, backend, config):
        if config["cut_words"]:
            imported("jieba", "jieba", "CpmTokenizer with cut_words=True").setLogLevel("WARNING")

    def _encode(self, rows, *arguments, **options):
        return super()._encode(cut(rows) if self.config["cut_words"] else rows, *arguments, **options)

    def decode(self, token_ids, **options):
        text = super().decode(token_ids, **options)
        return text.replace(" ", "").replace("\u2582", " ").replace("\u2583", "\n")

    decode.__doc__ = Tokenizer.decode.__doc__


def cut(text):
    """A text, or whatever is made of texts, with its words apart."""
    import jieba

    if not isinstance(text, str):
        return type(text)(map(cut, text))
    return " ".join(word.translate(BLANKS) for word in jieba.cut(text))


CpmTokenizerFast = CpmTokenizer

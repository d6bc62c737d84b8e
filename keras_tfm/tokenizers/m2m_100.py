"""M2M-100's tokenizer: SentencePiece with ids of its own, and before a text the token of its language."""

from keras_tfm.tokenizers.files import read_vocab
from keras_tfm.tokenizers.frames import bare_frame
from keras_tfm.tokenizers.sentencepiece import joined_pieces, read_model
from keras_tfm.tokenizers.slow import Pieces, SlowTokenizer, slow_backend
from keras_tfm.tokenizers.special import content
from keras_tfm.tokenizers.translation import Languages

M2M100 = (
    "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr "
    "ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa "
    "pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu "
)
WMT21 = "en ha is ja cs ru zh de"
LANGUAGES = {"m2m100": M2M100.split(), "wmt21": WMT21.split()}


class M2M100Tokenizer(Languages, SlowTokenizer):
    """SentencePiece with `__en__ A </s>` and `__en__ A B </s>`.

    Options besides those of `Tokenizer`: `src_lang` (default "en") and `tgt_lang` (default None), the languages of
    `text` and of `text_target`, which can be set later as well, and `language_codes` (default "m2m100"), the model's
    languages, those of M2M-100 or "wmt21". ValueError for other languages.
    """

    vocab_files = ("vocab.json", "sentencepiece.bpe.model")
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "src_lang": "en",
        "tgt_lang": None,
        "language_codes": "m2m100",
    }
    model_input_names = ("input_ids", "attention_mask")

    def __init__(self, backend, /, **config):
        codes = config.get("language_codes", self.defaults["language_codes"])
        if codes not in LANGUAGES:
            raise ValueError(f"language_codes={codes!r} is unknown: use one of {', '.join(map(repr, LANGUAGES))}.")
        named = [content(token) for token in config.get("additional_special_tokens") or []]
        tokens = [self.language_token(language) for language in LANGUAGES[codes]]
        super().__init__(backend, **config | {"additional_special_tokens": list(dict.fromkeys(named + tokens))})

    @classmethod
    def build(cls, files, config):
        pieces = Pieces(read_model(files["sentencepiece.bpe.model"]).splitter())
        return slow_backend(read_vocab(files["vocab.json"]), pieces, bare_frame, config)

    @property
    def languages(self):
        """The languages' names."""
        return LANGUAGES[self.config["language_codes"]]

    def language_token(self, language):
        """The token that stands for a language."""
        return f"__{language}__"

    def get_lang_id(self, language):
        """The id of a language's token."""
        return self.lang_code_to_id[language]

    def join(self, tokens):
        return joined_pieces(tokens, self.all_special_tokens)

    join.__doc__ = SlowTokenizer.join.__doc__

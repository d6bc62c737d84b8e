"""mBART's tokenizer: XLM-RoBERTa's pieces, and behind a text the code of its language."""

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.sentencepiece import read_model
from keras_tfm.tokenizers.special import content
from keras_tfm.tokenizers.translation import Languages
from keras_tfm.tokenizers.xlm_roberta import XLMRobertaTokenizer

CODES = (
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX "
    "ro_RO ru_RU si_LK tr_TR vi_VN zh_CN"
)
LANGUAGES = CODES.split()


class MBartTokenizer(Languages, Tokenizer):
    """SentencePiece with `A </s> en_XX` and `A B </s> en_XX`.

    Options besides those of `Tokenizer`, which can be set later as well: `src_lang` (default "en_XX"), the language of
    `text`, and `tgt_lang` (default None), that of `text_target`. ValueError for other than the model's languages.
    """

    vocab_files = ("sentencepiece.bpe.model",)
    defaults = {**XLMRobertaTokenizer.defaults, "src_lang": "en_XX", "tgt_lang": None}
    model_input_names = ("input_ids", "attention_mask")
    languages = LANGUAGES

    def __init__(self, backend, /, **config):
        extra = [
            token for token in config.get("additional_special_tokens") or [] if content(token) not in self.languages
        ]
        super().__init__(backend, **config | {"additional_special_tokens": [*self.languages, *extra]})

    @classmethod
    def build(cls, files, config):
        codes = [(code, 0.0) for code in cls.languages]
        return fairseq_backend(files["sentencepiece.bpe.model"], [*codes, ("<mask>", 0.0)])

    def language_frame(self, code, end):
        return [], [end, code]

    language_frame.__doc__ = Languages.language_frame.__doc__


def fairseq_backend(path, more=()):
    """A `.model` file -> a `tokenizers.Tokenizer`: fairseq's four tokens, the pieces and `more`, [(token, score)]."""
    model = read_model(path)
    first = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]  # the file has <unk>, <s> and </s>
    return model.backend([*first, *model.vocab[3:], *more], unk_id=3)


MBartTokenizerFast = MBartTokenizer

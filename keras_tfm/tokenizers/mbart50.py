"""mBART-50's tokenizer: mBART's with more languages, whose codes come before the text."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.mbart import LANGUAGES, MBartTokenizer
from keras_tfm.tokenizers.translation import Languages

CODES = (
    "af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE ta_IN "
    "te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI"
)


class MBart50Tokenizer(MBartTokenizer):
    """SentencePiece with `en_XX A </s>` and `en_XX A B </s>`; options as for `MBartTokenizer`."""

    defaults = {
        **MBartTokenizer.defaults,
        "bos_token": None,
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=True),
    }
    languages = [*LANGUAGES, *CODES.split()]
    language_frame = Languages.language_frame


MBart50TokenizerFast = MBart50Tokenizer

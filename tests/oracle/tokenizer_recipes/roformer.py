"""RoFormer: jieba's words or CJK characters, WordPiece."""

from tokenizer_recipe import Case, Variant, train_wordpiece

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CHINESE = "今天 天气 非常 好 。 我 爱 北京 天安门 ， 机器 学习 模型 的 研究 生命 起源 中文 字符 长春 市长 药店"

TEXTS = {
    "chinese": "今天天气非常好。我爱北京天安门，机器学习模型！",
    "ambiguous": "研究生命的起源，长春市长春药店。南京市长江大桥",
    "mixed_scripts": "我用Python3写了1000行代码,CPU是Intel i7-9700K。Café在北京",
    "chinese_spaces": "今天 天气\u3000非常\n好 。 ",
    "rare": "\U00020000今天\U0002f800 \uf900好 々〆",
}

# The slow class looks for words before accents and control characters go, the fast one after.
CONTROL = ["control", "replacement", "tabs"]
ACCENTED = ["accents", "cjk", "combining", "hangul_jamo", "mixed_scripts", "turkish"]


def write(folder):
    words = CHINESE.split()
    characters = sorted({letter for word in words for letter in word})
    train_wordpiece(folder / "vocab.txt", list(dict.fromkeys([*SPECIAL, *words, *characters])), size=600)


CASES = {
    "roformer": Case(
        "RoFormerTokenizer",
        "RoFormerTokenizerFast",
        write,
        ("roformer",),
        {
            "default": Variant(differs=tuple(ACCENTED + CONTROL), words=False),  # of which one has an accent
            "cased": Variant({"do_lower_case": False}, differs=(*CONTROL, "unicode_punctuation")),
        },
        TEXTS,
    )
}

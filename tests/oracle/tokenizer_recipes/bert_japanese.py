"""BertJapanese: words by spaces or MeCab (packages fugashi and ipadic), then WordPiece, characters or SentencePiece."""

from tokenizer_recipe import Case, Variant, train_sentencepiece

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
JAPANESE = """吾輩 は 猫 で ある 。 名前 は まだ 無い 、 どこ 生れ た か とんと 見当 が つか ぬ 東京 都 に 行っ て
京都 大学 研究 し まし 日本 語 自然 言語 処理 こんにちは 世界 「 」 ！ ？ ・ ー アップル ストア 2023
年 the cat hello World"""
PIECES = "は が に を た て の 語 都 学 生 れ s ing ed 3 23 0 a b c e l o t ッ プ ル ー"

TEXTS = {
    "japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "ambiguous": "すもももももももものうち、東京都に京都大学の研究者がいた",
    "full_and_half_width": "ＡＢＣ１２３ ｱｯﾌﾟﾙｽﾄｱ ㈱ ℡ ㍻ ｶﾞ 「こんにちは」",
    "mixed_scripts": "2023年にHello WorldとアップルストアでiPhone14を1,000円で買った!!",
    "japanese_spaces": "こんにちは\u3000世界 \n東京\t都  です",
    "voiced": "か\u3099き\u3099 は\u309aひ\u309a がぎ",
    "numbers_and_commas": "3,000円、10,5 2023, １２，３４５",
}

CHARACTERS = {"word_tokenizer_type": "mecab", "subword_tokenizer_type": "character"}


def write_vocab(folder):
    words = JAPANESE.split()
    letters = sorted({letter for word in words for letter in word})
    tokens = [*SPECIAL, *words, *letters, *(f"##{piece}" for piece in [*letters, *PIECES.split()])]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(tokens)) + "\n", encoding="utf-8")


def write_model(folder):
    pieces = {"pad_piece": "[PAD]", "unk_piece": "[UNK]", "pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1}
    train_sentencepiece(folder / "spiece.model", control_symbols=["[CLS]", "[SEP]", "[MASK]"], **pieces)


CASES = {
    "bert_japanese": Case(
        "BertJapaneseTokenizer",
        None,
        write_vocab,
        variants={
            "basic": Variant(),
            "basic_lower": Variant({"do_lower_case": True}),
            "never_split": Variant({"never_split": ["don't", "b@@", "Café"]}),
            "mecab": Variant({"word_tokenizer_type": "mecab"}),
            "mecab_lower": Variant(
                {
                    "word_tokenizer_type": "mecab",
                    "do_lower_case": True,
                    "mecab_kwargs": {"normalize_text": False, "mecab_dic": "ipadic"},
                }
            ),
            "characters": Variant(CHARACTERS),
            "words": Variant({"word_tokenizer_type": "mecab", "do_subword_tokenize": False}),
            "pieces": Variant({"do_word_tokenize": False}),
        },
        texts=TEXTS,
    ),
    "bert_japanese_model": Case(
        "BertJapaneseTokenizer",
        None,
        write_model,
        variants={
            "basic": Variant({"subword_tokenizer_type": "sentencepiece"}),
            "text": Variant({"subword_tokenizer_type": "sentencepiece", "do_word_tokenize": False}),
        },
        texts=TEXTS,
    ),
}

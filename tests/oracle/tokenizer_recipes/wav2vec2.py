"""Wav2Vec2 and MMS: letters, of several languages in one file."""

import json

from tokenizer_recipe import CALLS, Case, Variant

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "|"]
ENGLISH = [*SPECIAL, *"ETAONIHSRDLUMWCFGYPBVK'XJQZ", "TH"]
TEXTS = {
    "capitals": "THE CAT SAT ON THE MAT, AND THE DOGS ARE EATING",
    "tokens of several letters": "<s> THAT  TH <pad> <pad>A<unk>|B </s>",
    "sharp s": "straße ŉ ﬁ",
}


def write(folder):
    write_vocab(folder, {token: index for index, token in enumerate(ENGLISH)})


def write_several(folder):
    letters = {
        "eng": "etaonihsrdlumwcfgypbvk'xjqz",
        "deu": "enisratdhulcgmobwfkzvpäüßjyxqö",
        "fra": "esaitnrulodcmpévqfbgh",
    }
    made = {code: [*SPECIAL, *word, *(["sch"] if code == "deu" else [])] for code, word in letters.items()}
    write_vocab(folder, {code: {token: i for i, token in enumerate(tokens)} for code, tokens in made.items()})


def write_vocab(folder, vocab):
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")


CASES = {
    "wav2vec2": Case(
        "Wav2Vec2CTCTokenizer",
        None,
        write,
        ("wav2vec2", "hubert", "wavlm", "wav2vec2-conformer", "unispeech-sat", "sew-d", "data2vec-audio"),
        {
            "default": Variant(),
            "lower": Variant({"do_lower_case": True}),
            "delimiters": Variant({"word_delimiter_token": "'", "replace_word_delimiter_char": "-"}),
        },
        texts=TEXTS,
    ),
    "mms": Case(
        "Wav2Vec2CTCTokenizer",
        None,
        write_several,
        (),
        {"eng": Variant({"target_lang": "eng"}), "deu": Variant({"target_lang": "deu"})},
        texts={"german": "schöne straße schsch", "french": "où est le garçon"},
        calls=CALLS[:2],
    ),
}

"""Marian: a SentencePiece model for each side of a translation, with a vocabulary for both or one for each."""

import json

import sentencepiece
from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece
from tokenizer_recipes.mbart import TARGETS

TEXTS = {
    **DECOMPOSED,
    "codes": ">>fr<< the cat >>de<< sat",
    "code_alone": ">>de<<hello",
    "code_inside": "hello</s>>>de<< the cat",
    "no_code": ">>xx<< hello >> <<",
}


def pieces(folder):
    """The pieces of the source's model, and of the target's."""
    found = []
    for name, size in (("source", 420), ("target", 300)):
        path = folder / f"{name}.spm"
        train_sentencepiece(path, size=size)
        processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        found.append([processor.id_to_piece(index) for index in range(3, len(processor))])
    return found


def write_vocab(path, tokens):
    vocab = {token: index for index, token in enumerate(dict.fromkeys(["</s>", "<unk>", *tokens, "<pad>"]))}
    path.write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")


def write(folder):
    source, target = pieces(folder)
    write_vocab(folder / "vocab.json", [*sorted({*source, *target} - {"the", "at"}), ">>fr<<", ">>de<<"])


def write_separate(folder):
    source, target = pieces(folder)
    write_vocab(folder / "vocab.json", sorted(source))
    write_vocab(folder / "target_vocab.json", sorted({*target} - {"\u2581the"}))


# Decoding source ids as written ones meets the target's <pad>, which the slow class skips under the source's id only.
PADDED = ["emoji"]

CASES = {
    "marian": Case("MarianTokenizer", None, write, ("marian",), texts=TEXTS, calls=[*CALLS, *TARGETS]),
    "marian_separate": Case(
        "MarianTokenizer",
        None,
        write_separate,
        ("marian",),
        {"default": Variant({"separate_vocabs": True}, decodes_differently=PADDED)},
        TEXTS,
        calls=[*CALLS[:2], *TARGETS],
    ),
}

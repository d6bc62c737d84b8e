"""Speech2Text: SentencePiece with ids of its own, without and with languages."""

import functools
import json

import sentencepiece
from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece
from transformers.models.speech_to_text.tokenization_speech_to_text import MUSTC_LANGS

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LEFT_OUT = ["the", "\u2581ca", "at", "an"]  # pieces that the vocabulary lacks


def write(folder, languages=()):
    """The pieces of languages have the ids that they have in the vocabulary: the reference takes both for the same."""
    path = folder / "sentencepiece.bpe.model"
    tokens = [f"<lang:{language}>" for language in languages]
    special = {"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "user_defined_symbols": tokens} if languages else {}
    train_sentencepiece(path, "unigram", **special)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = [processor.id_to_piece(index) for index in range(len(processor))]
    vocab = [*SPECIAL, *tokens, *sorted(piece for piece in pieces if piece not in (*LEFT_OUT, *SPECIAL, *tokens))]
    vocab = {token: index for index, token in enumerate(vocab)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")


def languages(tokenizer):
    """Ids after tgt_lang has been set."""
    recorded = []
    for tokenizer.tgt_lang in ("fr", "de"):
        recorded.append([tokenizer.tgt_lang, tokenizer("hello")["input_ids"]])
    return {"calls": recorded, "ids": [[code, tokenizer.lang_code_to_id[code]] for code in ("fr", "de")]}


CASES = {
    "speech_to_text": Case(
        "Speech2TextTokenizer",
        None,
        write,
        ("speech_to_text",),
        {
            "default": Variant(),
            "lower": Variant({"do_lower_case": True, "do_upper_case": True}),
        },
        texts=DECOMPOSED,
    ),
    "speech_to_text_mustc": Case(
        "Speech2TextTokenizer",
        None,
        functools.partial(write, languages=MUSTC_LANGS),
        ("speech_to_text",),
        {"default": Variant({"lang_codes": "mustc"}), "french": Variant({"lang_codes": "mustc", "tgt_lang": "fr"})},
        texts={"codes": "<lang:fr> the cat <lang:de>hello</s>"},
        calls=CALLS[:3],
    ),
}

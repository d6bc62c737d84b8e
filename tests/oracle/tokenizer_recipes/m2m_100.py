"""M2M-100: SentencePiece with ids of its own. As the checkpoints do, it names the languages' tokens."""

import functools
import json

import sentencepiece
from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece
from tokenizer_recipes.mbart import TARGETS
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LEFT_OUT = ["the", "\u2581ca", "at", "an"]  # pieces that the vocabulary lacks


def write(folder, codes):
    path = folder / "sentencepiece.bpe.model"
    train_sentencepiece(path)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = [processor.id_to_piece(index) for index in range(3, len(processor))]
    vocab = [*SPECIAL, *sorted(piece for piece in pieces if piece not in LEFT_OUT)]
    vocab = {token: index for index, token in enumerate(vocab)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    tokens = [f"__{language}__" for language in FAIRSEQ_LANGUAGE_CODES[codes]]
    (folder / "special_tokens_map.json").write_text(json.dumps({"additional_special_tokens": tokens}))


def languages(tokenizer):
    """Ids after src_lang and tgt_lang have been set, and the ids of the languages."""
    recorded = []
    for tokenizer.src_lang, tokenizer.tgt_lang in (("de", "zu"), ("zu", "de")):
        output = tokenizer("hello", text_target="le caf\u00e9")
        recorded.append([tokenizer.src_lang, tokenizer.tgt_lang, output["input_ids"], output["labels"]])
    return {"calls": recorded, "ids": [[code, tokenizer.get_lang_id(code)] for code in ("de", "zu")]}


def case(codes, source, target, calls, **options):
    default = Variant({"tgt_lang": target, **options})
    variants = {"default": default, "named": Variant(default.options | {"src_lang": source})}
    texts = DECOMPOSED | {"codes": f"__{source}__ the cat __{target}__ __{source}__hello</s>"}
    more = languages if codes == "m2m100" else None
    names = ("M2M100Tokenizer", None)
    return Case(*names, functools.partial(write, codes=codes), ("m2m_100",), variants, texts, calls=calls, more=more)


CASES = {
    "m2m_100": case("m2m100", "de", "fr", [*CALLS, *TARGETS]),
    "m2m_100_wmt21": case("wmt21", "de", "is", CALLS[:2], language_codes="wmt21"),
}

"""mBART, mBART-50 and NLLB: SentencePiece with fairseq's ids and codes of languages."""

from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece

PAIRS = {"text": ["the cat", "hello world"], "text_target": ["le café", "l'été à la plage"]}
TARGETS = [PAIRS, {"text_target": PAIRS["text_target"]}, PAIRS | {"truncation": True, "max_length": 5}]


def write(folder):
    train_sentencepiece(folder / "sentencepiece.bpe.model")


def languages(tokenizer):
    """Ids after src_lang and tgt_lang have been set, and the ids of the languages."""
    codes = [tokenizer.additional_special_tokens[number] for number in (2, 7)]
    recorded = []
    for tokenizer.src_lang, tokenizer.tgt_lang in (codes, codes[::-1]):
        output = tokenizer("hello", text_target="le café")
        recorded.append([tokenizer.src_lang, tokenizer.tgt_lang, output["input_ids"], output["labels"]])
    return {"calls": recorded, "ids": [[code, tokenizer.convert_tokens_to_ids(code)] for code in codes]}


def case(name, model_types, source, target, options=None, differs=()):
    """The first variant writes to `target`, the second, by default also from `source`."""
    second = options or {"src_lang": source}
    variants = {
        "default": Variant({"tgt_lang": target}, differs),
        "other": Variant(second | {"tgt_lang": target}, differs),
    }
    texts = DECOMPOSED | {"codes": f"{source} the cat {target}{source}hello</s>"}
    names = (f"{name}Tokenizer", f"{name}TokenizerFast")
    return Case(*names, write, model_types, variants, texts, calls=[*CALLS, *TARGETS], more=languages)


NORMALISED = ["special_spaces"]  # the mask is looked for in normalised text, where these spaces have become a piece

CASES = {
    "mbart": case("MBart", ("mbart",), "de_DE", "fr_XX"),
    "mbart50": case("MBart50", ("mbart50",), "ka_GE", "sl_SI", differs=NORMALISED),
    "nllb": case("Nllb", ("nllb", "nllb-moe"), "deu_Latn", "zul_Latn", {"legacy_behaviour": True}, NORMALISED),
}

"""SpeechT5: characters, and numbers written out."""

import json

from tokenizer_recipe import DECOMPOSED, Case, Variant, train_sentencepiece

TEXTS = {
    "numbers": "$2.50, -3% and 1,234,567.8 at 10:30; €0.99 or £1000000 (12th) 0 -$15.00 ₹100,000 7.123 x5 5x",
    "unknown": "aξψb ξ\u4e2dξ \U0001f600\U0001f600",
    "marks": "the <mask> sat <ctc_blank> <mask>",
}


def write(folder):
    options = {"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "user_defined_symbols": ["<x>"]}
    train_sentencepiece(folder / "spm_char.model", "char", size=90, **options)
    from sentencepiece import SentencePieceProcessor

    count = len(SentencePieceProcessor(model_file=str(folder / "spm_char.model")))
    (folder / "added_tokens.json").write_text(json.dumps({"<mask>": count, "<ctc_blank>": count + 1}))
    mask = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": True, "single_word": False}
    (folder / "special_tokens_map.json").write_text(json.dumps({"mask_token": mask}))


CASES = {
    "speecht5": Case(
        "SpeechT5Tokenizer",
        None,
        write,
        ("speecht5",),
        {"default": Variant(), "normalized": Variant({"normalize": True})},
        texts=TEXTS | DECOMPOSED,
    )
}

"""GPT-SW3: SentencePiece after a cleaning of its own; the reference has no fast class."""

from tokenizer_recipe import DECOMPOSED, Case, train_sentencepiece

SPECIAL = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3, "pad_piece": "<pad>", "eos_piece": "<|endoftext|>"}
TEXTS = {
    **DECOMPOSED,
    "swedish": "Träd är fina för att de är gröna, åå\u2003\u2009ä\u3000ö",
    "unprintable": "a\u200bb\x01c\x7f\xadd\x85e\xa0f\ufffcg",
    "special_inside": "the cat<|endoftext|> sat<s><s>on  it",
}


def write(folder):
    options = {"remove_extra_whitespaces": False, "byte_fallback": True, "split_digits": True}
    train_sentencepiece(folder / "spiece.model", "bpe", 700, normalises=False, **options, **SPECIAL)


CASES = {"gpt_sw3": Case("GPTSw3Tokenizer", None, write, ("gpt-sw3",), texts=TEXTS)}

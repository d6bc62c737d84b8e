"""T5: SentencePiece with sentinels after the file's pieces."""

from tokenizer_recipe import CALLS, DECOMPOSED, Case, Variant, train_sentencepiece
from tokenizers import AddedToken

OPTIONS = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "pad_piece": "<pad>"}
MODEL_TYPES = ("t5", "mt5", "umt5", "longt5", "switch_transformers", "pix2struct", "musicgen")
TEXTS = {
    **DECOMPOSED,
    "sentinels": "the <extra_id_0> sat on <extra_id_1>the<extra_id_99>, <extra_id_100> hello",
    "pad_inside": "the cat<pad>  sat",
    "sentinel_first": "<extra_id_0> the cat<pad>  sat",
}
ENDED = ["end_of_word"]  # it ends with </s>, which the slow class does not add again
TARGETS = ["<extra_id_0> cat <extra_id_1>", "the dog is eating"]


def as_stored(fast):
    """The checkpoints' sentinels take the spaces around them."""
    fast.init_kwargs.pop("add_prefix_space", None)  # else the reference would not read its own tokenizer.json
    tokens = [token for token in fast.additional_special_tokens if "extra_id" in token]
    flags = {"lstrip": True, "rstrip": True, "normalized": False}
    fast.add_tokens([AddedToken(token, **flags) for token in tokens], special_tokens=True)


CASES = {
    "t5": Case(
        "T5Tokenizer",
        "T5TokenizerFast",
        lambda folder: train_sentencepiece(folder / "spiece.model", **OPTIONS),
        MODEL_TYPES,
        {
            "default": Variant(differs=ENDED),
            # The reference's version puts the space behind a sentinel, too, where it stands first.
            "first_space": Variant({"legacy": False}, differs=ENDED, mended=["sentinel_first"]),
        },
        texts=TEXTS,
        calls=[
            *CALLS,
            {"text": ["the cat", "hello world"], "text_target": TARGETS},
            {"text_target": TARGETS},
        ],
        as_stored=as_stored,
    ),
    "t5_plain": Case(  # as mT5's: without sentinels of its own
        "T5Tokenizer",
        "T5TokenizerFast",
        lambda folder: train_sentencepiece(folder / "spiece.model", **OPTIONS),
        variants={"default": Variant({"extra_ids": 0}, differs=ENDED)},
        texts=TEXTS,
        calls=CALLS[:2],
        as_stored=as_stored,
    ),
}

"""ByT5: the bytes of a text. Its only file says which class it is."""

from tokenizer_recipe import Case, Variant
from tokenizer_recipes.t5 import TEXTS

CASES = {
    "byt5": Case(
        "ByT5Tokenizer",
        None,
        lambda folder: (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "ByT5Tokenizer"}'),
        ("byt5",),
        {"default": Variant()},
        texts={**TEXTS, "ended": "the cat</s>", "bytes": "a\u0000b\u001f\u007f\u00ff\U0001f600"},
    )
}

"""Qwen2: byte-level BPE of composed characters."""

from tokenizer_recipe import DECOMPOSED, Case, Variant, train_byte_level_bpe


def write(folder):
    train_byte_level_bpe(folder, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])


CASES = {
    "qwen2": Case(
        "Qwen2Tokenizer",
        "Qwen2TokenizerFast",
        write,
        ("qwen2",),
        {
            "default": Variant(),
            "chat": Variant(
                {"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]},
            ),
        },
        texts={**DECOMPOSED, "lines": "a\r\n\n  b\n   \nIT'S 1234\t\tc  ", "chat": "<|im_start|>user\nhi<|im_end|>\n"},
    )
}

"""GPT-2, and CodeGen, whose decoded programs can be cut: byte-level BPE."""

from tokenizer_recipe import Case, Variant, train_byte_level_bpe

PADDED = {"pad_token": "<|endoftext|>"}
SPACED = ["empty", "spaces", "spaces_around", "special", "special_alike", "special_spaces"]
PROGRAMS = [
    "def f(x):\n    return x\n\ndef g(x):\n    return f(x)\n\nprint(f(1))\n",
    "print(1)\nprint(2)\nprint(3)",
    "x = 1\n# that was x\n\n\n\ny = 2\n    print(3)\n'''text'''\n<|endoftext|>",
    "",
]
PATTERNS = [["^#", "<|endoftext|>".replace("|", r"\|"), "^'''", "\n\n\n"], ["\n\n"], ["none of them"], []]


def write(folder):
    train_byte_level_bpe(folder, ["<|endoftext|>"])


def growing(tokenizer):
    """The text of more and more ids, cut inside of characters, too."""
    ids = tokenizer("the cat \U0001f600, \uc57c caf\u00e9 na\u00efve <|endoftext|> a  b")["input_ids"]
    return [[ids[:end], tokenizer.decode(ids[:end])] for end in range(1, len(ids) + 1)]


def programs(tokenizer):
    """Programs, and what is left of them before each list of patterns."""
    return [
        [ids, patterns, tokenizer.decode(ids, truncate_before_pattern=patterns)]
        for ids in (tokenizer(program)["input_ids"] for program in PROGRAMS)
        for patterns in PATTERNS
    ]


CASES = {
    "gpt2": Case(
        "GPT2Tokenizer",
        "GPT2TokenizerFast",
        write,
        ("gpt2", "gptj", "gpt_bigcode", "opt"),
        {
            "default": Variant(PADDED, words=False),
            # The slow class puts a space before every text, also where there is one or nothing, and only there.
            "prefix_space": Variant({**PADDED, "add_prefix_space": True}, differs=SPACED),
            "bos": Variant({**PADDED, "add_bos_token": True}, words=False),
        },
        more=growing,
    ),
    "codegen": Case(
        "CodeGenTokenizer",
        "CodeGenTokenizerFast",
        write,
        ("phi",),
        {"default": Variant(PADDED, words=False)},
        more=programs,
    ),
}

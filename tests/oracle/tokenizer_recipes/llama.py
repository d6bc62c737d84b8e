"""Llama, CodeLlama and Gemma: SentencePiece pairs with bytes for unknown characters."""

from tokenizer_recipe import DECOMPOSED, Case, Variant, train_sentencepiece
from tokenizers import normalizers

# As the checkpoints' models are: texts as they are, digits apart, pieces for runs of spaces.
OPTIONS = {
    "normalises": False,
    "remove_extra_whitespaces": False,
    "byte_fallback": True,
    "split_digits": True,
    "allow_whitespace_only_pieces": True,
}
GEMMA = {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "pad_piece": "<pad>", "eos_piece": "<eos>"}
GEMMA |= {"bos_piece": "<bos>", "add_dummy_prefix": False, "user_defined_symbols": ["<mask>", "\n\n", "\t\t", "<h1>"]}
PADDED = {"pad_token": "<unk>"}
INFILLING = ["\u2581<PRE>", "\u2581<MID>", "\u2581<SUF>", "\u2581<EOT>"]
TEXTS = {
    **DECOMPOSED,
    "special_first": "<s>the cat</s> sat <unk>  on",
    "only_spaces": "   ",
    "indented": "def f():\n    return  1\n",
    "bytes_spelled": "<0x41><0x0A> \u2581<0x41>",
}


def write(folder, **options):
    train_sentencepiece(folder / "tokenizer.model", "bpe", 700, **OPTIONS, **options)


def write_code(folder):
    write(folder, user_defined_symbols=INFILLING)


def llama_as_stored(fast):
    """With this option named, the reference would not read its own tokenizer.json."""
    fast.init_kwargs.pop("add_prefix_space", None)


def code_as_stored(fast):
    """The checkpoint's tokenizer.json puts a space before the text, unlike what the reference makes of its model."""
    fast.additional_special_tokens = INFILLING  # which it names twice
    spaces = [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    fast.backend_tokenizer.normalizer = normalizers.Sequence(spaces)


def growing(tokenizer):
    """The text of more and more ids, cut inside of characters, too."""
    ids = tokenizer("the cat \U0001f600, \uc57c caf\u00e9 na\u00efve </s> a  b")["input_ids"]
    return [[ids[:end], tokenizer.decode(ids[:end])] for end in range(1, len(ids) + 1)]


PROGRAMS = ["def f(<FILL_ME>\n    return x", "<FILL_ME>end", "a \u2581b <FILL_ME>", "  a<FILL_ME>  \u00e9\n"]


def infilled(tokenizer):
    """Programs with a gap -> ids, by options."""
    options = [{}, {"suffix_first": True}, {"add_special_tokens": False}, {"truncation": True, "max_length": 12}]
    return [[text, each, tokenizer(text, **each)["input_ids"]] for text in PROGRAMS for each in options]


CASES = {
    "llama": Case(
        "LlamaTokenizer",
        "LlamaTokenizerFast",
        write,
        ("llama", "mistral", "mixtral"),
        {
            "default": Variant(PADDED),
            "first_space": Variant({**PADDED, "legacy": False}),
            "no_space": Variant({**PADDED, "legacy": False, "add_prefix_space": False}),
            "eos": Variant({**PADDED, "add_bos_token": False, "add_eos_token": True}),
        },
        texts=TEXTS,
        as_stored=llama_as_stored,
        more=growing,
    ),
    "code_llama": Case(
        "CodeLlamaTokenizer",
        "CodeLlamaTokenizerFast",
        write_code,
        (),
        {"default": Variant(PADDED)},
        texts=TEXTS,
        as_stored=code_as_stored,
        more=infilled,
    ),
    "gemma": Case(
        "GemmaTokenizer",
        "GemmaTokenizerFast",
        lambda folder: write(folder, **GEMMA),
        ("gemma",),
        {"default": Variant(), "eos": Variant({"add_eos_token": True})},
        texts={**TEXTS, "symbols": "<h1>a<mask>b\n\n\n\t\t\tc <h1> "},
    ),
}

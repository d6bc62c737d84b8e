"""BART, LED and Blenderbot: RoBERTa's byte-level BPE."""

from tokenizer_recipe import CALLS, Case, Variant, train_byte_level_bpe
from tokenizer_recipes.roberta import SPECIAL

TARGETS = [{"text": ["the cat", "hello"], "text_target": ["hello world", "the man"]}]
DIALOGUE = [
    {"role": "user", "content": "Hello, the dog isn't here"},
    {"role": "assistant", "content": "where is it?"},
    {"role": "user", "content": "eating"},
]


def write(folder):
    train_byte_level_bpe(folder, SPECIAL)


def variants():
    return {
        "default": Variant(words=False),
        # The slow class puts the space before the first word only, not behind every special token.
        "prefix_space": Variant({"add_prefix_space": True}, differs=["special"]),
        "untrimmed": Variant({"trim_offsets": False}, words=False),
    }


def masked(tokenizer):
    """Rows with a global_attention_mask, padded."""
    ids = [tokenizer(text)["input_ids"] for text in ("the cat sat on the mat", "hello")]
    rows = [{"input_ids": row, "global_attention_mask": [1] + [0] * (len(row) - 1)} for row in ids]
    padded = []
    for side in ("right", "left"):
        tokenizer.padding_side = side
        padded.append([side, dict(tokenizer.pad(rows, padding="max_length", max_length=16))])
    return {"rows": rows, "padded": padded}


def conversation(tokenizer):
    """What the default chat template makes of a dialogue."""
    return [[turns, tokenizer.apply_chat_template(turns, tokenize=False)] for turns in (DIALOGUE, DIALOGUE[:2])]


def blenderbot(*options, **flags):
    """The slow class drops the second text of a pair; the fast one counts, and truncated pairs are compared with it."""
    calls = [call for call in CALLS if "text_pair" not in call or "truncation" in call]
    variants = {"default": Variant(*options, **flags)}
    names = ("BlenderbotTokenizer", "BlenderbotTokenizerFast")
    return Case(*names, write, ("blenderbot",), variants, calls=calls, more=conversation)


CASES = {
    "bart": Case("BartTokenizer", "BartTokenizerFast", write, ("bart",), variants(), calls=[*CALLS, *TARGETS]),
    "led": Case("LEDTokenizer", "LEDTokenizerFast", write, ("led",), {"default": Variant(words=False)}, more=masked),
    "blenderbot": blenderbot(words=False),
    "blenderbot_spaced": blenderbot({"add_prefix_space": True}, differs=["special"]),  # as the checkpoints are
}

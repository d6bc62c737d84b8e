"""A call's way in and out: texts are checked and paired; encodings become ragged columns, then int32 arrays."""

import numpy as np

PADDING = {True: "longest", "longest": "longest", "max_length": "max_length", False: None, "do_not_pad": None}
TRUNCATION = {
    True: "longest_first",
    "longest_first": "longest_first",
    "only_first": "only_first",
    "only_second": "only_second",
    False: None,
    None: None,
    "do_not_truncate": None,
}
SIDES = {"right": "right", "left": "left"}
ENCODING_NAMES = {"input_ids": "ids", "token_type_ids": "type_ids", "offset_mapping": "offsets"}


def strategy(value, allowed, argument):
    """The one spelling of a padding or truncation strategy; ValueError if there is no such strategy."""
    if value not in allowed:
        raise ValueError(f"{argument}={value!r} is unknown: use one of {', '.join(map(repr, allowed))}.")
    return allowed[value]


def text_rows(text, words, argument):
    """A text or a list of texts (lists of words, if `words`) -> a list of texts; TypeError naming the argument."""
    unit = (list, tuple) if words else str
    single = isinstance(text, unit) and (not words or not text or isinstance(text[0], str))
    rows = [text] if single else text
    kind = "list of words" if words else "str"
    if not isinstance(rows, (list, tuple)):
        raise TypeError(f"{argument} must be a {kind}, or a list of them for a batch, not {type(text).__name__}.")
    for index, row in enumerate(rows):
        if not isinstance(row, unit) or (words and not all(isinstance(word, str) for word in row)):
            raise TypeError(f"{argument}[{index}] must be a {kind}, not {row!r:.80}.")
        try:
            "".join(row).encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{argument}[{index}] holds a lone surrogate, which is no character: "
                "replace it first, text.encode(errors='replace').decode()."
            ) from error
    return rows


def paired_rows(text, text_pair=None, words=False):
    """`text`, `text_pair` as in a call -> a list of texts, or of pairs of them."""
    rows = text_rows(text, words, "text")
    if text_pair is None:
        return rows
    second = text_rows(text_pair, words, "text_pair")
    if len(second) != len(rows):
        raise ValueError(f"text has {len(rows)} rows and text_pair {len(second)}: every text needs its pair.")
    return list(zip(rows, second, strict=True))


def column(encodings, key):
    """The ragged rows of one output; -1 where a token belongs to no word or sequence."""
    rows = [getattr(encoding, ENCODING_NAMES.get(key, key)) for encoding in encodings]
    if key in ("word_ids", "sequence_ids"):
        return [[-1 if index is None else index for index in row] for row in rows]
    return rows


def padded_length(lengths, padding, max_length=None, multiple=None):
    """The common length of rows that have `lengths` tokens; ValueError where they don't fit."""
    longest = max(lengths, default=0)
    if padding is None:
        if any(length != longest for length in lengths):
            raise ValueError(
                f"the texts have between {min(lengths)} and {longest} tokens, but arrays are rectangular: "
                "use padding=True, or encode the texts one by one."
            )
        return longest
    length = max_length if padding == "max_length" else longest
    if length < longest:
        raise ValueError(f"a text has {longest} tokens, more than max_length={length}: truncate it, truncation=True.")
    return -(-length // multiple) * multiple if multiple else length


def pad_rows(rows, length, fill, side):
    """Ragged `rows` of n items shaped as `fill` -> int32 array (rows, length, *shape), `fill` at the padded places."""
    array = np.full((len(rows), length, *np.shape(fill)), fill, dtype="int32")
    for index, row in enumerate(rows):
        if len(row):
            start = length - len(row) if side == "left" else 0
            array[index, start : start + len(row)] = row
    return array


def stack_rows(rows, key):
    """Rows of equal shapes -> one array; ValueError naming `key` otherwise."""
    if len({np.shape(row) for row in rows}) > 1:
        raise ValueError(f"the rows of {key!r} differ in shape, and only a tokenizer's own outputs can be padded.")
    array = np.asarray(rows)
    return array.astype("int32") if array.dtype.kind in "iu" else array

"""VITS and MMS-TTS: characters with blanks; phonemes are another fixture's matter."""

import functools
import json

from tokenizer_recipe import CALLS, Case, Variant

LETTERS = "k'z y_u-dhewsnitjrgaofcpbml|qvx"
TEXTS = {"english": "The cat sat, on the Mat - unable!", "romanian": "ţară și țară A", "doubled": "aa  bb"}


def write(folder, letters, tokens=()):
    vocab = {token: index for index, token in enumerate([*tokens, *letters])}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    named = {"pad_token": tokens[0] if tokens else letters[0], "unk_token": "<unk>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(named))
    if not tokens:
        (folder / "added_tokens.json").write_text(json.dumps({"<unk>": len(vocab)}))


PLAIN = {"phonemize": False}
CASES = {
    "vits": Case(
        "VitsTokenizer",
        None,
        functools.partial(write, letters=LETTERS + "ţA"),
        ("vits",),
        {
            "default": Variant(PLAIN, words=False),
            "bare": Variant(PLAIN | {"add_blank": False}, words=False),
            "romanian": Variant(PLAIN | {"language": "ron"}, words=False),
        },
        texts=TEXTS,
        calls=[*CALLS[:3], *CALLS[6:]],  # the rest is too long to be cut at one side
    ),
    "vits_with_unknown": Case(
        "VitsTokenizer",
        None,
        functools.partial(write, letters=LETTERS, tokens=("<pad>", "<unk>")),
        ("vits",),
        {"default": Variant(PLAIN | {"normalize": False}, words=False)},
        texts=TEXTS,
        calls=CALLS[:3],
    ),
}

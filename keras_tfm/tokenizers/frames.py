"""The special tokens around a text and between the texts of a pair."""

from tokenizers import processors


def frame(backend, single, pair):
    """Post-processor from templates: `frame(backend, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")`.

    `$A` and `$B` are the texts, what follows a colon is the token type. ValueError if a token is not in the vocabulary.
    """
    parts = {part.rpartition(":")[0] if part[-2:-1] == ":" else part for part in f"{single} {pair}".split(" ")}
    special = [(part, backend.token_to_id(part)) for part in sorted(parts) if not part.startswith("$")]
    if lacking := [part for part, index in special if index is None]:
        raise ValueError(
            f"the vocabulary lacks {', '.join(lacking)}: name the tokens that stand for them, cls_token=..."
        )
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)


def bert_frame(backend, config):
    """`[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, B of type 1."""
    first, last = config["cls_token"], config["sep_token"]
    return frame(backend, f"{first} $A {last}", f"{first} $A {last} $B:1 {last}:1")


def roberta_frame(backend, config):
    """`<s> A </s>` and `<s> A </s></s> B </s>`, all of type 0."""
    first, last = config["cls_token"], config["sep_token"]
    return frame(backend, f"{first} $A {last}", f"{first} $A {last} {last} $B {last}")

"""The special tokens around a text and between the texts of a pair."""

from tokenizers import processors

from keras_tfm.tokenizers.special import content


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


def bare_frame(backend, config):
    """`A` and `A B`, B of type 1."""
    return frame(backend, "$A", "$A $B:1")


def bert_frame(backend, config):
    """`[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, B of type 1."""
    first, last = config["cls_token"], config["sep_token"]
    return frame(backend, f"{first} $A {last}", f"{first} $A {last} $B:1 {last}:1")


def roberta_frame(backend, config):
    """`<s> A </s>` and `<s> A </s></s> B </s>`, all of type 0."""
    first, last = config["cls_token"], config["sep_token"]
    return frame(backend, f"{first} $A {last}", f"{first} $A {last} {last} $B {last}")


def end_frame(backend, config):
    """`A </s>` and `A </s> B </s>`, all of type 0."""
    last = config["eos_token"]
    return frame(backend, f"$A {last}", f"$A {last} $B {last}")


def joint_frame(backend, config):
    """`A </s>` and `A B </s>`, all of type 0."""
    return frame(backend, f"$A {config['eos_token']}", f"$A $B {config['eos_token']}")


def sentence_frame(backend, config):
    """`<s> A </s>` and `<s> A </s> <s> B </s>`, B of type 1, each token only where `config` says to add it.

    The options are `add_bos_token` and `add_eos_token`. ValueError if one is added that there is none of.
    """
    tokens = {}
    for name in ("bos_token", "eos_token"):
        added = config.get(f"add_{name}")
        tokens[name] = content(config.get(name)) if added else None
        if added and tokens[name] is None:
            raise ValueError(f"add_{name}=True, and there is no {name}: name it, or pass add_{name}=False.")
    single, second = (
        " ".join(part + kind for part in (tokens["bos_token"], text, tokens["eos_token"]) if part)
        for text, kind in (("$A", ""), ("$B", ":1"))
    )
    return frame(backend, single, f"{single} {second}")

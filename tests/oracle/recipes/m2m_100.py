"""M2M100: padding on both sides, since positions count what is not padding; tables that checkpoints leave out."""

from recipe import Call, Case, padded, text
from recipes import bart

CONFIG = bart.SIZES | {"encoder_layers": 1, "decoder_layers": 2}
HEADS = ["M2M100Model", "M2M100ForConditionalGeneration"]
LEFT = padded(text(2, 7, vocabulary=61), side="left", padding=1)
ANSWER = {f"decoder_{name}": x for name, x in padded(text(2, 5, vocabulary=61), padding=1).items()}


def calls(name):
    return [*bart.calls(name), Call(LEFT | ANSWER)]


CASES = [Case("base", CONFIG, HEADS, calls)]

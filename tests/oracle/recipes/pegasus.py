"""Pegasus: positions that are stored, the ids of the special tokens that its checkpoints have."""

from recipe import Case
from recipes import bart

CONFIG = bart.SIZES | {"encoder_layers": 1, "decoder_layers": 2, "scale_embedding": True}
HEADS = ["PegasusModel", "PegasusForConditionalGeneration", "PegasusForCausalLM"]
CASES = [Case("base", CONFIG, HEADS, bart.calls)]

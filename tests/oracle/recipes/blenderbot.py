"""Blenderbot: no 3-gram of what it is told comes back, as the defaults ask for."""

from recipe import Case
from recipes import bart

CONFIG = bart.SIZES | {"encoder_layers": 1, "decoder_layers": 2, "scale_embedding": True}
HEADS = ["BlenderbotModel", "BlenderbotForConditionalGeneration", "BlenderbotForCausalLM"]
CASES = [Case("base", CONFIG, HEADS, bart.calls)]

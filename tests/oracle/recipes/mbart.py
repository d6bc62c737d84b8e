"""mBART: texts that end with the token of their language, labels that start with it."""

from recipe import Case
from recipes import bart

CONFIG = bart.CONFIG | {"encoder_layers": 1, "decoder_layers": 2, "scale_embedding": True}
HEADS = [
    "MBartModel",
    "MBartForConditionalGeneration",
    "MBartForSequenceClassification",
    "MBartForQuestionAnswering",
    "MBartForCausalLM",
]
CASES = [Case("base", CONFIG, HEADS, bart.calls)]

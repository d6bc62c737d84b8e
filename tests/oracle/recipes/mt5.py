"""mT5: T5's cases."""

from recipes.t5 import cases

CLASSES = [
    "MT5Model",
    "MT5EncoderModel",
    "MT5ForConditionalGeneration",
    "MT5ForSequenceClassification",
    "MT5ForTokenClassification",
    "MT5ForQuestionAnswering",
]
CASES = cases(CLASSES)

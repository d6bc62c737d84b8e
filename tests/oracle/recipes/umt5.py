"""UMT5: T5's cases."""

from recipes.t5 import cases

CLASSES = [
    "UMT5Model",
    "UMT5EncoderModel",
    "UMT5ForConditionalGeneration",
    "UMT5ForSequenceClassification",
    "UMT5ForTokenClassification",
    "UMT5ForQuestionAnswering",
]
CASES = cases(CLASSES)

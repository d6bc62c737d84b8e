"""XLM-RoBERTa: RoBERTa's cases."""

from recipes.roberta import cases

CLASSES = [
    "XLMRobertaModel",
    "XLMRobertaForMaskedLM",
    "XLMRobertaForSequenceClassification",
    "XLMRobertaForMultipleChoice",
    "XLMRobertaForTokenClassification",
    "XLMRobertaForQuestionAnswering",
    "XLMRobertaForCausalLM",
]
CASES = cases(CLASSES)

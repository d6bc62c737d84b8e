"""CamemBERT: RoBERTa's cases."""

from recipes.roberta import cases

CLASSES = [
    "CamembertModel",
    "CamembertForMaskedLM",
    "CamembertForSequenceClassification",
    "CamembertForMultipleChoice",
    "CamembertForTokenClassification",
    "CamembertForQuestionAnswering",
    "CamembertForCausalLM",
]
CASES = cases(CLASSES)

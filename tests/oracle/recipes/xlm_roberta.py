"""XLM-RoBERTa: RoBERTa's cases."""

from recipes.roberta import cases

CASES = cases("XLMRoberta")

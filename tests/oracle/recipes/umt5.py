"""UMT5: T5's cases."""

from recipes.t5 import CONFIG, cases

CASES = cases("UMT5", CONFIG)

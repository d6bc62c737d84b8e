"""mT5: T5's cases."""

from recipes.t5 import CONFIG, cases

CASES = cases("MT5", CONFIG)

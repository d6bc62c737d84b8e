"""TAPEX: BART's byte-level BPE, of texts as answers, and of tables. It needs pandas, too."""

import random

import pandas
from tokenizer_recipe import CALLS, Case, Variant
from tokenizer_recipes.bart import write
from transformers.models.deprecated.tapex import tokenization_tapex

LONG = "the cat sat on the mat and the dogs are eating wonderful food"
TABLES = [
    {"Year": ["1896", "1900", "2004"], "City": ["Athens", "Paris", LONG]},
    {"a": [1, 2, 3, 4, 5, 6, 7, 8, 9], "b": [f"the cat {number}" for number in range(8)] + ["  "]},
    {"a": [], "b": []},
]
QUERIES = ["Which City is it?", "the dog", ""]
FITTED = [  # table, question, answer, tokens
    (0, QUERIES[0], None, 60),
    (1, "what is 5?", None, 90),
    (1, "the cat 7", ["The Cat 2"], 100),
    (1, "the dog", None, 500),
    (1, "the dog", None, 10),
]


class TapexTokenizer(tokenization_tapex.TapexTokenizer):
    """Of texts: they are answers."""

    def __call__(self, text, **options):
        return super().__call__(answer=text, **options)


class AnswerCase(Case):
    def load(self, kind, folder, **options):
        return TapexTokenizer.from_pretrained(folder, **options)


def tables(tokenizer):
    """Ids of tables with questions, and the texts of tables that were made to fit.

    (The reference's call does not know its own name of that truncation.)
    """
    encode = super(TapexTokenizer, tokenizer).__call__
    frames = [pandas.DataFrame.from_dict(table) for table in TABLES]
    ids = [[table, query, encode(frames[table], query)["input_ids"]] for table in (0, 1, 2) for query in QUERIES]
    drop = tokenization_tapex.TapexTruncationStrategy.DROP_ROWS_TO_FIT
    fitted = []
    for table, query, answer, length in FITTED:
        random.seed(1)
        text = tokenizer.prepare_table_query(frames[table], query, answer, truncation_strategy=drop, max_length=length)
        fitted.append([table, query, answer, length, text])
    return {"tables": TABLES, "ids": ids, "fitted": fitted}


CASES = {
    "tapex": AnswerCase(
        "TapexTokenizer",
        None,
        write,
        ("tapex",),
        {"default": Variant(words=False)},
        calls=[call for call in CALLS if "text_pair" not in call],
        more=tables,
    )
}

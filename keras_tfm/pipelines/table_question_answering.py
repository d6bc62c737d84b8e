"""Table question answering: TAPEX, a BART that reads a table as a text and writes the answer (arXiv:2107.07653)."""

from keras_tfm.pipelines.batching import first_row
from keras_tfm.pipelines.generating import GeneratingPipeline
from keras_tfm.tokenizers.tapex import TapexTokenizer


class TableQuestionAnsweringPipeline(GeneratingPipeline):
    """A table and a question -> {"answer": str}; a table and a list of questions -> a list of such dicts.

    Call it with `table` and `query`, by position or by name, with a dict of the two, or a list or a generator of dicts.
    A table is a dict of columns, {name: cells}, or a pandas.DataFrame, or what that can be made of. Cells are texts, or
    are read as Python writes them.

    Options: truncation (default False), "drop_rows_to_fit" to leave out rows of tables that are too long, or as of
    `Tokenizer`; and any of `generate`'s.
    """

    task = "table-question-answering"
    auto_class = "AutoModelForSeq2SeqLM"
    shorten = 'truncation="drop_rows_to_fit"'

    def __init__(self, model, tokenizer, **options):
        super().__init__(model, tokenizer, **options)
        if not isinstance(tokenizer, TapexTokenizer):
            names = f"{type(model).__name__} with a {type(tokenizer).__name__}"
            raise ValueError(f"table-question-answering needs a TapexTokenizer, to read tables: {names} cannot")

    def __call__(self, table=None, query=None, **options):
        if query is not None:
            return super().__call__({"table": table, "query": query}, **options)
        if table is None or hasattr(table, "columns"):
            raise ValueError("pass a table and a query, or dicts of the two")
        alone = isinstance(table, list | tuple) and len(table) == 1
        return super().__call__(table[0] if alone else table, **options)

    def preprocess(self, item, *, truncation=False):
        """A table and its questions -> a row for each question."""
        for key in ("table", "query"):
            if not isinstance(item, dict) or item.get(key) is None:
                raise ValueError(f"an example is a dict of table and query; no {key} in {item!r:.80}")
        table, queries = as_columns(item["table"]), item["query"]
        queries = [queries] if isinstance(queries, str) else list(queries)
        if not queries or not all(queries):
            raise ValueError("query is empty: ask something of the table")
        return [first_row(self.tokenize(table, query, truncation=truncation)) for query in queries]

    def postprocess(self, item, rows):
        """The rows -> the answers."""
        texts = [self.tokenizer.decode(ids, skip_special_tokens=True) for row in rows for ids in row["generated"]]
        answers = [{"answer": text} for text in texts]
        return answers if len(answers) > 1 else answers[0]


def as_columns(table):
    """A table that is no dict of columns as a pandas.DataFrame.

    Raises:
        ValueError: it has no cells.
        ImportError: pandas is needed, and not installed.
    """
    if not isinstance(table, dict) and not hasattr(table, "columns"):
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                f"a table that is a {type(table).__name__} needs pandas: pip install 'keras-tfm[tables]', or pass a "
                "dict of columns"
            ) from error
        table = pandas.DataFrame(table)
    if not any(len(table[name]) for name in table):
        raise ValueError("the table is empty")
    return table

"""TAPEX's tokenizer: BART's, of questions and tables."""

import random

from keras_tfm.tokenizers.bart import BartTokenizer

DROP_ROWS = "drop_rows_to_fit"


class TapexTokenizer(BartTokenizer):
    """Byte-level BPE of `question col : a | b row 1 : x | y row 2 : ...` and of answers, as `<s> A </s>`.

    Options besides those of `RobertaTokenizer`: `do_lower_case` (default True) and `max_cell_length` (default 15): of a
    cell with at least so many tokens, so many are kept.
    """

    stores_backend = False
    defaults = {**BartTokenizer.defaults, "do_lower_case": True, "max_cell_length": 15}

    def __call__(self, table=None, query=None, answer=None, **options):
        """Tables and questions, or answers, -> a dict of int32 arrays (B, T), ready for the model.

        table: a pandas.DataFrame or a dict of columns, {name: cells}, or a list of B; query: a str, or a list of B.
            One table serves all questions, one question all tables; without a question it is the table alone.
        answer: a str, or a list of B, encoded where there is no table. (A text in place of a table is one, too.)
        Options: as for `Tokenizer`, and truncation="drop_rows_to_fit": rows of the table that have no cell in common
            with the question (or with `answer`, a list of str for each table) and stand near none that has are left
            out by chance (`random.seed`), and then the last ones, until `max_length` suffices.

        ValueError where tables and questions differ in number.
        """
        if table is None:
            return super().__call__(**options if answer is None else {"text": answer, **options})
        if is_text(table):
            return super().__call__(table, query, **options)
        tables = list(table) if isinstance(table, list | tuple) else [table]
        queries = list(query) if isinstance(query, list | tuple) else [query]
        answers = [answer] if answer and isinstance(answer[0], str) else answer or [None]
        count = max(len(tables), len(queries))
        tables, queries, answers = (part * count if len(part) == 1 else part for part in (tables, queries, answers))
        if not len(tables) == len(queries) == len(answers):
            raise ValueError(f"there are {len(tables)} tables, {len(queries)} questions and {len(answers)} answers.")
        limit = None
        if options.get("truncation") == DROP_ROWS:
            limit, options["truncation"] = self._limit(options.get("max_length")), True
        texts = [self.linearise(*each, limit) for each in zip(tables, queries, answers, strict=True)]
        return super().__call__(texts, **options)

    def linearise(self, table, query=None, answer=None, max_length=None):
        """A question and a table as one text, with as many rows as `max_length` tokens have room for (default: all)."""
        columns = {name: list(table[name]) for name in table}
        if len({len(cells) for cells in columns.values()}) > 1:
            raise ValueError(f"the columns of a table differ in length: {', '.join(map(str, columns))}")
        rows = [[self._shortened(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
        if not rows:
            return query or ""
        head = "col : " + " | ".join(map(str, columns))
        if max_length is not None:
            room = max_length - sum(len(self.tokenize(part)) for part in (query or "", head))
            rows = self._fitting(rows, query or "", answer or [], room)
        text = " ".join([head, *(row_text(row, number) for number, row in enumerate(rows, 1))]).strip()
        return f"{query} {text}" if query else text

    def _shortened(self, cell):
        if not isinstance(cell, str) or not cell.strip():
            return cell
        tokens, longest = self.tokenize(cell), self.config["max_cell_length"]
        return cell if len(tokens) < longest else self.join(tokens[:longest])

    def _fitting(self, rows, query, answer, room):
        """The rows that `room` tokens suffice for."""
        needed = len(self.tokenize("".join(f"{row_text(row, 100)} " for row in rows)))
        if needed >= room:
            wanted = {word.lower() for word in answer} | {*query.split(), *query.strip("?!.,").split(" ")}
            related = [at for at, row in enumerate(rows) if wanted & {str(cell).lower() for cell in row}]
            spare = [at for at in range(len(rows)) if all(abs(at - other) > 2 for other in related)]
            count = min(len(spare), int(len(rows) * (1 - room / needed)))
            dropped = {*random.choices(spare, k=count)} if count else ()
            rows = [row for at, row in enumerate(rows) if at not in dropped]
        for number, row in enumerate(rows):
            room -= len(self.tokenize(row_text(row, number + 1)))
            if room < 0:
                return rows[:number]
        return rows

    def _encode(self, rows, paired, *arguments, **options):
        if self.config["do_lower_case"]:
            rows = lowered(rows)
        return super()._encode(rows, paired, *arguments, **options)


def is_text(table):
    return isinstance(table, str) or isinstance(table, list | tuple) and all(isinstance(each, str) for each in table)


def lowered(text):
    """A text, or whatever is made of texts, in lower case."""
    return text.lower() if isinstance(text, str) else type(text)(map(lowered, text))


def row_text(row, number):
    return f"row {number} : " + " | ".join(map(str, row))

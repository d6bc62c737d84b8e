"""The tokenizers of DPR: BERT's, and for the reader a question with the title and the text of each passage."""

from typing import NamedTuple

import numpy as np

from keras_tfm.tokenizers.batch import column, paired_rows
from keras_tfm.tokenizers.bert import BertTokenizer


class DPRQuestionEncoderTokenizer(BertTokenizer):
    """As `BertTokenizer`."""


class DPRContextEncoderTokenizer(BertTokenizer):
    """As `BertTokenizer`."""


class DPRSpanPrediction(NamedTuple):
    """An answer: its scores, the passage `doc_id`, the first and last token there, and its text."""

    span_score: float
    relevance_score: float
    doc_id: int
    start_index: int
    end_index: int
    text: str


class DPRReaderTokenizer(BertTokenizer):
    """`[CLS] question [SEP] title [SEP] text` for each passage; options as for `BertTokenizer`."""

    model_input_names = ("input_ids", "attention_mask")

    def __call__(self, questions, titles=None, texts=None, **options):
        """Questions and passages -> a dict of int32 arrays (B, T), a row a passage.

        questions: a str for all passages, or a list of B; titles, texts: a str or a list of B. Options: `padding`,
        `truncation`, `max_length`, `pad_to_multiple_of` and `return_attention_mask`, as for `Tokenizer`. Without titles
        or without texts it is a `Tokenizer`'s call.

        ValueError where questions, titles and texts differ in number.
        """
        if titles is None or texts is None:
            return super().__call__(questions, texts if titles is None else titles, **options)
        titles, texts = ([part] if isinstance(part, str) else part for part in (titles, texts))
        questions = [questions] * len(titles) if isinstance(questions, str) else questions
        return self._passages(paired_rows(questions, titles), paired_rows(titles, texts), **options)

    def _passages(self, headed, titled, *, truncation=False, max_length=None, return_attention_mask=None, **padding):
        """`headed`: (question, title) of each, `titled`: (title, text)."""
        heads = column(self._encode(headed, True, True), "input_ids")
        bodies = column(self._encode([text for _, text in titled], False, False), "input_ids")
        limit = self._limit(max_length) if truncation else None
        rows = [(head + body)[:limit] for head, body in zip(heads, bodies, strict=True)]
        encoded = {"input_ids": rows}
        if return_attention_mask is not False:
            encoded["attention_mask"] = [[int(index != self.pad_token_id) for index in row] for row in rows]
        return self.pad(encoded, max_length=max_length, return_attention_mask=return_attention_mask, **padding)

    def decode_best_spans(
        self, reader_input, reader_output, num_spans=16, max_answer_length=64, num_spans_per_passage=4
    ):
        """The best answers in the passages, as [DPRSpanPrediction]: the most relevant passage's first.

        reader_input: what a call returned, of one question; reader_output: the model's `start_logits` and `end_logits`
        (B, T) and `relevance_logits` (B,). An answer has at most `max_answer_length` tokens, lies behind the question,
        and contains no other.
        """
        import keras

        names = ("start_logits", "end_logits", "relevance_logits")
        starts, ends, relevance = (keras.ops.convert_to_numpy(reader_output[name]) for name in names)
        found = []
        for passage in np.argsort(-relevance, kind="stable").tolist():
            ids = np.asarray(reader_input["input_ids"])[passage].tolist()
            first = ids.index(self.sep_token_id, 2) + 1
            last = ids.index(self.pad_token_id) if ids[-1] == self.pad_token_id else len(ids)
            scores = starts[passage, first:last, None] + ends[passage, None, first:last]
            for start, end in best_spans(scores, max_answer_length, num_spans_per_passage):
                where = (passage, first + start, first + end)
                text = self.decode(ids[first + start : first + end + 1])
                found.append(DPRSpanPrediction(scores[start, end].item(), relevance[passage].item(), *where, text))
        return found[:num_spans]


def best_spans(scores, longest, count):
    """scores (T, T) of spans by start and end -> the `count` best (start, end) of which none contains another."""
    starts, ends = (np.triu(np.ones_like(scores)) - np.triu(np.ones_like(scores), longest)).nonzero()
    chosen = []
    for best in np.argsort(-scores[starts, ends], kind="stable"):
        start, end = starts[best].item(), ends[best].item()
        if not any(start <= a <= b <= end or a <= start <= end <= b for a, b in chosen):
            chosen.append((start, end))
        if len(chosen) == count:
            break
    return chosen


DPRQuestionEncoderTokenizerFast = DPRQuestionEncoderTokenizer
DPRContextEncoderTokenizerFast = DPRContextEncoderTokenizer
DPRReaderTokenizerFast = DPRReaderTokenizer

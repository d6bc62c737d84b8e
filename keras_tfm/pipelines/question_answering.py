"""Question answering: the span of a context that answers a question."""

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import rows_without_padding, softmax


class QuestionAnsweringPipeline(Pipeline):
    """A question and a context -> {"score": float, "start": int, "end": int, "answer": str}.

    Call it with `question=..` and `context=..` (a str each, lists of them, or several questions on one context), with
    both as positional strings, or with a dict of the two, a list or a generator of dicts. `start` and `end` count the
    context's characters. Contexts that are too long are searched in parts that overlap.

    Options:
        top_k: how many answers to return, as a list where there are several, the best first. Default 1.
        handle_impossible_answer: whether "" may be the answer. Default False.
        max_answer_len: of an answer, in tokens. Default 15.
        align_to_words: whether to widen an answer to whole words. Default True.
        max_seq_len: of a part with its question, in tokens. Default 384, or what tokenizer and model have room for.
        doc_stride: the tokens that neighbouring parts share. Default 128, but at most half of `max_seq_len`.
    """

    auto_class = "AutoModelForQuestionAnswering"
    outputs = ("start_logits", "end_logits")
    shorten = "a smaller max_seq_len"

    def __call__(self, *args, question=None, context=None, **options):
        if len(args) == 2 and question is context is None:
            question, context = args
        elif len(args) == 1 and question is context is None:
            examples = args[0]
            alone = isinstance(examples, list | tuple) and len(examples) == 1
            return super().__call__(examples[0] if alone else examples, **options)
        if isinstance(question, str) and isinstance(context, str):
            return super().__call__({"question": question, "context": context}, **options)
        if not isinstance(question, list | tuple) or not isinstance(context, str | list | tuple):
            raise TypeError("question and context are two texts, two lists, or a list of questions and one context")
        contexts = [context] * len(question) if isinstance(context, str) else context
        if len(question) != len(contexts):
            raise ValueError(f"{len(question)} questions and {len(contexts)} contexts: each question needs its own")
        pairs = zip(question, contexts, strict=True)
        return self([{"question": q, "context": c} for q, c in pairs], **options)

    def preprocess(self, example, *, max_seq_len=None, doc_stride=None):
        for key in ("question", "context"):
            if not isinstance(example, dict) or not isinstance(example.get(key), str) or not example[key]:
                raise ValueError(
                    f"an example is a dict of question and context, two texts; no {key} in {example!r:.80}"
                )
        if not self.tokenizer.knows_offsets:
            name = type(self.tokenizer).__name__
            raise ValueError(f"answers are found by the characters that tokens came from, which {name} does not know")
        if max_seq_len is None:
            max_seq_len = min(self.tokenizer.model_max_length, 384, self.forward.limit or 384)
        question = len(self.tokenizer.encode(example["question"], add_special_tokens=False))
        room = max_seq_len - question - self.tokenizer.num_special_tokens_to_add(pair=True)
        if doc_stride is None:
            doc_stride = min(max_seq_len // 2, 128, room - 1)
        if not 0 <= doc_stride < room:
            raise ValueError(
                f"max_seq_len={max_seq_len} leaves {max(room, 0)} tokens of context beside a question of {question}, "
                f"and neighbouring parts are to share {max(doc_stride, 0)}: raise it, or shorten question or doc_stride"
            )
        texts = (example["question"], example["context"])
        encoded = self.tokenize(
            *(texts if self._question_first() else texts[::-1]),
            truncation="only_second" if self._question_first() else "only_first",
            max_length=max_seq_len,
            stride=doc_stride,
            padding=True,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_word_ids=True,
            return_sequence_ids=True,
        )
        return rows_without_padding(encoded)

    def postprocess(
        self, example, rows, *, top_k=1, handle_impossible_answer=False, max_answer_len=15, align_to_words=True
    ):
        for name, value in (("top_k", top_k), ("max_answer_len", max_answer_len)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        answers, no_answer = [], 1.0
        for row in rows:
            in_context = row["sequence_ids"] == int(self._question_first())
            # Models that know unanswerable questions point at the first token for them.
            allowed = in_context | (row["input_ids"] == self.tokenizer.cls_token_id)
            start, end = (softmax(np.where(allowed, row[name], np.float32(-10000))) for name in self.outputs)
            no_answer = min(no_answer, float(start[0] * end[0]))
            start[0] = end[0] = 0
            for first, last, score in _spans(start, end, top_k, max_answer_len):
                if allowed[first] and allowed[last]:
                    a, b = _characters(row, first, last, in_context, align_to_words)
                    answers.append({"score": score, "start": a, "end": b, "answer": example["context"][a:b]})
        if handle_impossible_answer:
            answers.append({"score": no_answer, "start": 0, "end": 0, "answer": ""})
        answers = sorted(answers, key=lambda answer: -answer["score"])[:top_k]
        return answers[0] if len(answers) == 1 else answers

    def _question_first(self):
        return self.tokenizer.padding_side == "right"


def _spans(start, end, top_k, longest):
    """The likeliest (first token, last token, score), given the probabilities (T,) of the two."""
    scores = np.tril(np.triu(np.outer(start, end)), longest - 1)
    flat = scores.ravel()
    best = np.argpartition(-flat, top_k)[:top_k] if top_k < flat.size else np.arange(flat.size)
    best = best[np.argsort(-flat[best])]
    return [(int(i), int(j), float(scores[i, j])) for i, j in zip(*np.unravel_index(best, scores.shape), strict=True)]


def _characters(row, first, last, in_context, align_to_words):
    """Where the span of tokens begins and ends in the context."""
    offsets, words = row["offset_mapping"], row["word_ids"]
    if align_to_words and words[first] >= 0 and words[last] >= 0:
        first = np.flatnonzero(in_context & (words == words[first]))[0]
        last = np.flatnonzero(in_context & (words == words[last]))[-1]
    return int(offsets[first][0]), int(offsets[last][1])

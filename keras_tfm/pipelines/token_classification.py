"""Token classification: the entities of a text, such as persons and places, token by token or grouped."""

import warnings

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import rows_without_padding, softmax

STRATEGIES = ("none", "simple", "first", "average", "max")
DEPRECATED = ("grouped_entities", "ignore_subwords")


class TokenClassificationPipeline(Pipeline):
    """A text -> a list of entities, {"entity": str, "score": float, "index": int, "word": str, "start": int,
    "end": int} for a token; a group of tokens has "entity_group" in the place of "entity", and no "index".

    `start` and `end` count the text's characters, `index` the tokens. Texts are cut to the model's length. Where the
    tokenizer does not know which characters a token came from, both are None, and neither whole words nor a stride
    can be asked for.

    Options:
        aggregation_strategy: "none" (default) for single tokens. "simple" groups neighbours of one tag; a B- tag begins
            a new group. "first", "average" and "max" group whole words, which take the tag of their first token, of
            the average of their scores, or of their surest token.
        ignore_labels: what to leave out. Default ["O"].
        stride: longer texts are classified in parts that share `stride` tokens; of entities that overlap, the longest
            remains. Needs a strategy other than "none". Default: texts are cut.
        grouped_entities, ignore_subwords: deprecated: the former means "simple", both mean "first".
    """

    auto_class = "AutoModelForTokenClassification"

    @classmethod
    def option_names(cls):
        return [*super().option_names(), *DEPRECATED]

    def split_options(self, options):
        grouped, whole_words = (options.get(name) for name in DEPRECATED)
        if grouped is not None or whole_words is not None:
            strategy = ("first" if whole_words else "simple") if grouped else "none"
            warnings.warn(f"{' and '.join(DEPRECATED)} are deprecated: use aggregation_{strategy=}", stacklevel=3)
            options = {k: v for k, v in options.items() if k not in DEPRECATED} | {"aggregation_strategy": strategy}
        if options.get("aggregation_strategy", "none") not in STRATEGIES:
            raise ValueError(f"aggregation_strategy must be one of {', '.join(STRATEGIES)}")
        if options.get("stride") is not None and options.get("aggregation_strategy", "none") == "none":
            raise ValueError('stride needs an aggregation_strategy: "simple", "first", "average" or "max"')
        return super().split_options(options)

    def preprocess(self, text, *, stride=None):
        if stride is not None:
            self._need_offsets("a stride")
        overflow = {} if stride is None else {"stride": stride, "return_overflowing_tokens": True, "padding": True}
        encoded = self.tokenize(
            text,
            truncation=True,
            return_offsets_mapping=self.tokenizer.knows_offsets,
            return_special_tokens_mask=True,
            **overflow,
        )
        return rows_without_padding(encoded)

    def postprocess(self, text, rows, *, aggregation_strategy="none", ignore_labels=("O",)):
        entities, whole_words = [], aggregation_strategy in ("first", "average", "max")
        if whole_words:
            self._need_offsets(f"{aggregation_strategy=}")
        for row in rows:
            found = self._tokens(text, row)
            if whole_words:
                found = [self._word(tokens, aggregation_strategy) for tokens in _words(found)]
            else:
                found = [self._labelled(token, token["scores"]) for token in found]
            if aggregation_strategy == "none":
                keys = ("entity", "score", "index", "word", "start", "end")
                found = [{key: entity[key] for key in keys} for entity in found]
            else:
                found = [self._group(group) for group in _neighbours(found)]
            entities += [e for e in found if e.get("entity", e.get("entity_group")) not in ignore_labels]
        return entities if len(rows) == 1 else _without_overlaps(entities)

    def _need_offsets(self, option):
        if not self.tokenizer.knows_offsets:
            name = type(self.tokenizer).__name__
            raise ValueError(f"{option} needs to know which characters a token came from, which {name} does not")

    def _tokens(self, text, row):
        """What the grouping needs to know of each token that is not special."""
        backend, tokens = self.tokenizer.backend, []
        marks_pieces = getattr(backend.model, "continuing_subword_prefix", None)
        scores = softmax(row["logits"])
        for index in np.flatnonzero(row["special_tokens_mask"] == 0).tolist():
            token_id = int(row["input_ids"][index])
            start, end = row["offset_mapping"][index].tolist() if self.tokenizer.knows_offsets else (None, None)
            word, written = backend.id_to_token(token_id), text[start:end]
            if start is None:
                piece = False
            elif token_id == self.tokenizer.unk_token_id:
                word, piece = written, False
            elif marks_pieces:
                piece = len(word) != len(written)
            else:  # a guess, for what is no WordPiece
                piece = start > 0 and " " not in text[start - 1 : start + 1]
            tokens.append({"index": index, "word": word, "start": start, "end": end, "piece": piece})
            tokens[-1]["scores"] = scores[index]
        return tokens

    def _word(self, tokens, strategy):
        if strategy == "first":
            scores = tokens[0]["scores"]
        elif strategy == "max":
            scores = max((token["scores"] for token in tokens), key=lambda scores: scores.max())
        else:
            scores = np.mean([token["scores"] for token in tokens], axis=0)
        return self._labelled(self._joined(tokens), scores)

    def _labelled(self, token, scores):
        best = int(scores.argmax())
        return token | {"entity": self.model.config.id2label[best], "score": float(scores[best])}

    def _group(self, entities):
        score = float(np.mean([entity["score"] for entity in entities]))
        return {"entity_group": entities[0]["entity"].split("-", 1)[-1], "score": score} | self._joined(entities)

    def _joined(self, tokens):
        word = self.tokenizer.join([token["word"] for token in tokens])
        return {"word": word, "start": tokens[0]["start"], "end": tokens[-1]["end"]}


def _words(tokens):
    """The tokens of each word."""
    words = []
    for token in tokens:
        if words and token["piece"]:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def _neighbours(entities):
    """Entities in groups of one tag, each of which a B- begins. A label with neither B- nor I- counts as I-."""
    groups, last = [], None
    for entity in entities:
        label = entity["entity"]
        tag = label[2:] if label.startswith(("B-", "I-")) else label
        if tag == last and not label.startswith("B-"):
            groups[-1].append(entity)
        else:
            groups.append([entity])
        last = tag
    return groups


def _without_overlaps(entities):
    """By their start; of those that overlap, the longest, and of equally long ones the surest."""
    kept = []
    for entity in sorted(entities, key=lambda e: e["start"]):
        if kept and entity["start"] < kept[-1]["end"]:
            kept[-1] = max(kept[-1], entity, key=lambda e: (e["end"] - e["start"], e["score"]))
        else:
            kept.append(entity)
    return kept

"""Fill-mask: the likeliest words in the place of a text's mask tokens."""

import warnings

import numpy as np

from keras_tfm.pipelines.base import Pipeline
from keras_tfm.pipelines.batching import first_row, softmax


class FillMaskPipeline(Pipeline):
    """A text -> a list of {"score": float, "token": int, "token_str": str, "sequence": str}, the best first.

    A text with several masks gets a list of such lists, each mask's as if the others stayed. A list of one text gets
    what the text alone would.

    Options:
        top_k: how many words to return. Default 5.
        targets: a word or a list of words to choose from. Of one outside the vocabulary, the first piece counts.
        tokenizer_kwargs: a dict of options of the tokenizer's call.
    """

    auto_class = "AutoModelForMaskedLM"
    shorten = 'tokenizer_kwargs={"truncation": True}'

    def __call__(self, inputs, **options):
        results = super().__call__(inputs, **options)
        return results[0] if isinstance(inputs, list) and len(inputs) == 1 else results

    def preprocess(self, text, *, tokenizer_kwargs=None):
        if self.tokenizer.mask_token is None:
            raise ValueError("fill-mask needs a tokenizer that has a mask_token")
        row = first_row(self.tokenize(text, **(tokenizer_kwargs or {})))
        if self.tokenizer.mask_token_id not in row["input_ids"]:
            raise ValueError(f"there is no mask token ({self.tokenizer.mask_token}) in {text!r:.80}")
        return [row]

    def postprocess(self, text, rows, *, top_k=5, targets=None):
        ids, logits = rows[0]["input_ids"], rows[0]["logits"]
        (masks,) = np.nonzero(ids == self.tokenizer.mask_token_id)
        words = np.arange(logits.shape[-1]) if targets is None else self._target_ids(targets)
        answers = []
        for mask in masks:
            scores = softmax(logits[mask])[words]
            best = np.argsort(-scores, kind="stable")[:top_k]
            answers.append([self._answer(ids, mask, int(words[i]), float(scores[i]), len(masks) == 1) for i in best])
        return answers[0] if len(masks) == 1 else answers

    def _answer(self, ids, mask, word, score, only_mask):
        filled = ids.copy()
        filled[mask] = word
        filled = filled[filled != self.tokenizer.pad_token_id]
        # Where there are other masks, they stay in the text, and so do all special tokens.
        sequence = self.tokenizer.decode(filled, skip_special_tokens=only_mask)
        return {"score": score, "token": word, "token_str": self.tokenizer.decode([word]), "sequence": sequence}

    def _target_ids(self, targets):
        found = set()
        for target in [targets] if isinstance(targets, str) else targets:
            word = self.tokenizer.backend.token_to_id(target)
            if word is None:
                pieces = self.tokenizer.encode(target, add_special_tokens=False)
                used = f"using {self.tokenizer.convert_ids_to_tokens(pieces[0])!r}" if pieces else "ignored"
                warnings.warn(f"the target {target!r} is not in the vocabulary: {used}", stacklevel=3)
            if word is not None or pieces:
                found.add(pieces[0] if word is None else word)
        if not found:
            raise ValueError("targets has no word: pass at least one")
        return np.array(sorted(found))

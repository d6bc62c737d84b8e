"""What looks at the texts after each token, outside of the compiled program: streams, clocks, strings, prefixes.

A watcher has `before(ids)`, which may return arguments for the next token, and `after(ids)`, which may return which
rows (R,) end here; ids (R, tokens so far) is a NumPy array.
"""

import time
from os.path import commonprefix

import numpy as np


class Watcher:
    def before(self, ids):
        return {}

    def after(self, ids):
        return None


class Stream(Watcher):
    """Gives each new token to a streamer, and the prompt before them."""

    def __init__(self, streamer, prompt):
        self.streamer = streamer
        streamer.put(prompt)

    def after(self, ids):
        self.streamer.put(ids[:, -1])


class Clock(Watcher):
    """Ends all texts when the time is up.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def after(self, ids):
        return np.full(len(ids), time.monotonic() > self.end)


class StopStrings(Watcher):
    """Ends a text whose last token completes one of some strings.

    Args:
        strings: the strings, a list or one.
        tokenizer: decodes the texts.
    """

    def __init__(self, strings, tokenizer):
        self.strings = [strings] if isinstance(strings, str) else list(strings)
        self.tokenizer = tokenizer
        self.longest = max(len(string) for string in self.strings)

    def after(self, ids):
        return np.array([self._completes(row) for row in ids])

    def _completes(self, row):
        # A token is at least a byte, and a character at most four: no string reaches further back.
        tail = row[-4 * self.longest - 1 :]
        text, before = (self.tokenizer.decode(part, clean_up_tokenization_spaces=False) for part in (tail, tail[:-1]))
        old = len(commonprefix([text, before]))
        return any(string in text[max(0, old + 1 - len(string)) :] for string in self.strings)


class Prefixes(Watcher):
    """Lets only those tokens follow that a function allows.

    Args:
        allowed: `f(row, ids) -> list of ids`.
        rows: how many rows go on from each prompt.
        words: V.
    """

    def __init__(self, allowed, rows, words):
        self.allowed, self.rows, self.words = allowed, rows, words

    def before(self, ids):
        mask = np.zeros((len(ids), self.words), "bool")
        for i, row in enumerate(ids):
            tokens = list(self.allowed(i // self.rows, row))
            if not tokens:
                raise ValueError(f"prefix_allowed_tokens_fn allows nothing after row {i // self.rows}: {row.tolist()}")
            mask[i, tokens] = True
        return {"allowed": mask}


def watchers(task, streamer, tokenizer, allowed):
    """Those that a call of `generate` asks for."""
    config, found = task.config, []
    if allowed is not None:
        rows = max(config.num_beams, config.num_return_sequences)
        found.append(Prefixes(allowed, rows, task.model.config.vocab_size))
    if config.stop_strings:
        if tokenizer is None:
            raise ValueError("stop_strings need the tokenizer that decodes the texts: pass tokenizer=")
        found.append(StopStrings(config.stop_strings, tokenizer))
    if streamer is not None:
        if config.num_beams > 1:
            raise ValueError("a streamer shows tokens as they come, and beams change their minds: pass num_beams=1")
        found.append(Stream(streamer, task.prompt.ids[:, task.margin :]))
    if config.max_time is not None:
        found.append(Clock(config.max_time))
    return found

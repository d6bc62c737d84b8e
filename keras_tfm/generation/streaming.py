"""Streamers: text as it is generated. `generate` puts the prompt and then every token, (B,), into one."""

import queue

import numpy as np


class TextStreamer:
    """Prints the text of one row as soon as its words are complete.

    Args:
        tokenizer: decodes the tokens.
        skip_prompt: whether to leave out the prompt. Default False.
        **decode_options: of `tokenizer.decode`, such as skip_special_tokens=True.

    A subclass does something else with the text by `on_text(text, end)`; `end` is True with the last one.
    """

    def __init__(self, tokenizer, skip_prompt=False, **decode_options):
        self.tokenizer, self.skip_prompt, self.decode_options = tokenizer, skip_prompt, decode_options
        self.tokens, self.shown, self.at_prompt = [], 0, True

    def put(self, ids):
        """Takes tokens (1,), or those of the prompt (1, T); ValueError for more rows."""
        ids = np.atleast_1d(np.asarray(ids))
        if ids.shape[0] > 1:
            raise ValueError(f"{type(self).__name__} shows one row, not {ids.shape[0]}: generate one text at a time")
        prompt, self.at_prompt = self.at_prompt, False
        if prompt and self.skip_prompt:
            return
        self.tokens += ids.reshape(-1).tolist()
        text = self._text()
        if text.endswith("\n"):
            complete, self.tokens, self.shown = text[self.shown :], [], 0
        else:  # the last word may go on, and its last letters may be half there
            complete = text[self.shown : text.rfind(" ") + 1 if not _stands_alone(text[-1:]) else len(text)]
            self.shown += len(complete)
        self.on_text(complete)

    def end(self):
        """Shows what has been held back."""
        rest = self._text()[self.shown :] if self.tokens else ""
        self.tokens, self.shown, self.at_prompt = [], 0, True
        self.on_text(rest, end=True)

    def on_text(self, text, end=False):
        print(text, end="\n" if end else "", flush=True)

    def _text(self):
        return self.tokenizer.decode(self.tokens, **self.decode_options)


class TextIteratorStreamer(TextStreamer):
    """An iterator over the same pieces of text, for generation in another thread.

    Args:
        timeout: how many seconds to wait for the next piece before `queue.Empty` is raised. Default: for ever.
    """

    def __init__(self, tokenizer, skip_prompt=False, timeout=None, **decode_options):
        super().__init__(tokenizer, skip_prompt, **decode_options)
        self.pieces, self.timeout = queue.SimpleQueue(), timeout

    def on_text(self, text, end=False):
        self.pieces.put(text)
        if end:
            self.pieces.put(None)

    def __iter__(self):
        return self

    def __next__(self):
        piece = self.pieces.get(timeout=self.timeout)
        if piece is None:
            raise StopIteration
        return piece


def _stands_alone(letter):
    """Whether a letter is a word of its own: Chinese, Japanese and Korean ideographs (Unicode's CJK blocks)."""
    return any(first <= ord(letter or "a") <= last for first, last in IDEOGRAPHS)


IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)

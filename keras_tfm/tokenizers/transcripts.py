"""Whisper's long transcripts: what it wrote of overlapping stretches of sound, merged, with times.

Shapes: T tokens of a stretch.
"""

import string

import numpy as np

BEFORE, BEHIND = "\"'“¡¿([{-", "\"'.。,，!！?？:：”)]}、"  # punctuation that belongs to the next, to the last word
WITHOUT_SPACES = ("chinese", "japanese", "thai", "lao", "myanmar", "cantonese")


class Transcript:
    """Reads outputs of the model one after the other into `chunks` of text with their language and times.

    tokenizer: a `WhisperTokenizer`; languages: {code: name}; words: there are times of all tokens; timed: chunks end
    where the model wrote a time; precision: seconds of a step between its times.
    """

    def __init__(self, tokenizer, languages, timed, words, precision):
        self.tokenizer, self.languages, self.timed, self.words = tokenizer, languages, timed, words
        self.precision, self.first_time = precision, tokenizer.timestamp_begin
        self.special = {*tokenizer.all_special_ids}
        self.chunks, self.language, self.offset, self.skips = [], None, 0.0, False
        self.read = []  # what was read of stretches that overlap: lists of (token, its times)
        self._new_chunk()

    def _new_chunk(self):
        self.chunk = {"language": self.language, "timestamp": [None, None], "text": ""}

    def add(self, output):
        """Read {"tokens": (1, T)}, with "token_timestamps": (1, T) in seconds where words are timed, and "stride":
        seconds of the stretch, and of its left and right parts that others have too."""
        tokens = np.asarray(output["tokens"])[0].tolist()
        times = np.asarray(output["token_timestamps"])[0].tolist() if self.words else None
        length, left, right = output.get("stride", (0, 0, 0))
        self.offset -= left
        earliest = left / self.precision + self.first_time if left else self.first_time
        latest = self._last_common_time(tokens, length - right) if right else None
        self.current = []
        for place, token in enumerate(tokens):
            if token in self.special:
                self._read_special(token)
            elif token >= self.first_time:
                self._read_time(token, earliest, latest)
            else:
                self.current.append((token, self._times(times, place)))
        self.offset += length - right
        if self.current:
            self.read.append(self.current)
        elif not any(self.read):
            self._new_chunk()
            self.read = []

    def _last_common_time(self, tokens, start):
        """The first of the times that lie in the right part, from `start` on, and of them at least the last."""
        latest = None
        for token in reversed(tokens):
            if token >= self.first_time:
                if latest is not None and (token - self.first_time) * self.precision < start:
                    break
                latest = token
        return latest

    def _times(self, times, place):
        """When a token begins and ends."""
        if times is None:
            return None
        ends = [round(time + self.offset, 2) for time in times[place : place + 2]]
        return tuple(ends) if len(ends) == 2 else (ends[0], None)

    def _read_special(self, token):
        language = self.languages.get(self.tokenizer.decode([token])[2:-2])
        if language is None:
            return
        if self.language and language != self.language and not self.timed:
            self._end_chunk()
        self.chunk["language"] = self.language = language

    def _read_time(self, token, earliest, latest):
        time = round((token - self.first_time) * self.precision + self.offset, 2)
        if latest and token >= latest:  # the next stretch tells it better; times come in pairs
            self.skips = True
        elif self.skips or (self.read and token < earliest):
            self.skips = False
        elif self.chunk["timestamp"][0] is None:
            self.chunk["timestamp"][0] = time
        elif time != self.chunk["timestamp"][0]:
            self.chunk["timestamp"][1] = time
            self._end_chunk()

    def _end_chunk(self):
        self.read.append(self.current)
        self._write()
        self.current = []
        self._new_chunk()

    def _write(self):
        tokens = merged(self.read)
        self.chunk["text"] = self.tokenizer.decode([token for token, _ in tokens])
        if self.words:
            self.chunk["words"] = timed_words(self.tokenizer, tokens, self.language)
        self.chunks.append(self.chunk)
        self.read = []

    def end(self):
        """Write what is left."""
        if self.read:
            self._write()


def merged(parts):
    """Lists of (token, times), each of which begins somewhere in the one before -> one list.

    Two are laid over each other where most tokens agree; there the first half is the one's, the second the other's.
    """
    whole, left = [], parts[0]
    for right in parts[1:]:
        ids, others = (np.array([token for token, _ in part], int) for part in (left, right))
        best, place = 0.0, (len(left), len(left), 0, 0)
        for shift in range(1, len(left) + len(right)):
            start, stop = max(0, len(left) - shift), min(len(left), len(left) + len(right) - shift)
            begin, end = max(0, shift - len(left)), min(len(right), shift)
            agreeing = int((ids[start:stop] == others[begin:end]).sum())
            score = agreeing / shift + shift / 10000
            if agreeing > 1 and score > best:
                best, place = score, (start, stop, begin, end)
        start, stop, begin, end = place
        whole += left[: (start + stop) // 2]
        left = right[(begin + end) // 2 :]
    return whole + left


def timed_words(tokenizer, tokens, language):
    """[(token, times)] -> [{"text", "timestamp"}] of words, each with the punctuation that belongs to it."""
    words = letters(tokenizer, [token for token, _ in tokens])
    if (language or tokenizer.language or "english") not in WITHOUT_SPACES:
        words = joined_letters(words, tokens, tokenizer.eos_token_id)
    words = with_punctuation(words)
    return [{"text": text, "timestamp": (tokens[places[0]][1][0], tokens[places[-1]][1][1])} for text, places in words]


def letters(tokenizer, ids):
    """Ids -> [(text, places)]: as few tokens at a time as make whole characters."""
    whole = tokenizer.decode(ids, decode_with_timestamps=True)
    made, places, done = [], [], 0
    for place in range(len(ids)):
        places.append(place)
        text = tokenizer.decode([ids[each] for each in places], decode_with_timestamps=True)
        broken = text.find("\ufffd")
        if broken < 0 or whole[done + broken] == "\ufffd":
            made.append((text, places))
            places, done = [], done + len(text)
    return made


def joined_letters(parts, tokens, end_id):
    """[(text, places)], joined where no space, punctuation or special token begins."""
    words = []
    for text, places in parts:
        apart = tokens[places[0]][0] >= end_id or text.startswith(" ") or text.strip() in string.punctuation
        if apart or not words:
            words.append((text, places))
        else:
            words[-1] = words[-1][0] + text, words[-1][1] + places
    return words


def with_punctuation(words):
    """[(text, places)], joined with the punctuation that stands before and behind."""
    joined = []
    for text, places in reversed(words):
        if joined and text.startswith(" ") and text.strip() in BEFORE:
            joined[-1] = text + joined[-1][0], places + joined[-1][1]
        else:
            joined.append((text, places))
    words = []
    for text, places in reversed(joined):
        if words and not words[-1][0].endswith(" ") and text in BEHIND:
            words[-1] = words[-1][0] + text, words[-1][1] + places
        else:
            words.append((text, places))
    return [(text, places) for text, places in words if text]

"""What texts must contain, and how far a text has come with that."""

from dataclasses import dataclass, field, replace
from numbers import Integral


class DisjunctiveConstraint:
    """A text must contain one of several sequences of tokens, such as the forms of a word.

    Args:
        nested_token_ids: the sequences, lists of ints.

    Raises:
        ValueError: no tokens, or a sequence that another one begins with: it would always be met first.
    """

    def __init__(self, nested_token_ids):
        try:
            self.words = [tuple(word) for word in nested_token_ids]
        except TypeError:
            raise ValueError(f"a constraint takes lists of tokens, not {nested_token_ids!r}") from None
        tokens = [token for word in self.words for token in word]
        if not all((tokens, *self.words)) or not all(isinstance(t, Integral) and t >= 0 for t in tokens):
            raise ValueError(f"a constraint takes lists of tokens, one or more each, not {nested_token_ids!r}")
        for i, word in enumerate(self.words):
            if any(word == other[: len(word)] for other in self.words[:i] + self.words[i + 1 :]):
                raise ValueError(
                    f"{nested_token_ids!r}: one begins with {list(word)}, which is also there alone: drop it"
                )
        self.length = max(map(len, self.words))

    def __repr__(self):
        return f"DisjunctiveConstraint({[list(word) for word in self.words]})"

    def after(self, seen):
        """The tokens that go on behind those `seen`, a list; none where a sequence is complete."""
        count = len(seen)
        return list(dict.fromkeys(w[count] for w in self.words if len(w) > count and w[:count] == tuple(seen)))


class PhrasalConstraint(DisjunctiveConstraint):
    """A text must contain a sequence of tokens.

    Args:
        token_ids: the sequence, a list of ints.
    """

    def __init__(self, token_ids):
        super().__init__([token_ids])

    def __repr__(self):
        return f"PhrasalConstraint({list(self.words[0])})"


def constraints_of(config):
    """The constraints that a `GenerationConfig` asks for."""
    words = [
        DisjunctiveConstraint(word) if isinstance(word[0], (list, tuple)) else PhrasalConstraint(word)
        for word in config.force_words_ids or ()
    ]
    return [*(config.constraints or ()), *words]


@dataclass(frozen=True)
class Progress:
    """How far a text has come: `met` constraints, those `pending`, and the one within which it is, with what has been
    `seen` of it.

    A token that does not go on within a constraint puts it back, behind the pending ones, and counts for nothing else.
    """

    pending: tuple
    met: int = 0
    current: DisjunctiveConstraint | None = None
    seen: list = field(default_factory=list)

    @property
    def complete(self):
        return self.current is None and not self.pending

    @property
    def next_tokens(self):
        """The tokens that lead on: within a constraint its own, else those that one begins with."""
        if self.current is not None:
            return self.current.after(self.seen)
        return [token for constraint in self.pending for token in constraint.after([])]

    def bank(self, longest):
        """How far that is in tokens, when each met constraint counts as the `longest` of them."""
        within = 0 if self.current is None else longest - self.current.length + len(self.seen)
        return self.met * longest + within

    def after(self, token):
        """The progress with one token more."""
        return self.branches([token])[0]

    def branches(self, tokens):
        """The progress with each of the tokens.

        Within a constraint they share what has been seen, as in the reference: a token that does go on within it is
        seen by those that come later, too.
        """
        seen = [*self.seen]
        return [replace(self, seen=seen)._after(token) for token in tokens]

    def _after(self, token):
        if self.current is not None:
            if token not in self.current.after(self.seen):
                return Progress((*self.pending, self.current), self.met)
            self.seen.append(token)
            return self._settled()
        for i, constraint in enumerate(self.pending):
            if token in constraint.after([]):
                return Progress(self.pending[:i] + self.pending[i + 1 :], self.met, constraint, [token])._settled()
        return self

    def _settled(self):
        return self if self.current.after(self.seen) else Progress(self.pending, self.met + 1)

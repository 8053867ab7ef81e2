"""Operators' regular expressions: RE2 alone, so that no pattern can hang the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import re2

MAX_PATTERN_MEMORY = 1 << 20
MAX_GROUP_MEMORY = 8 << 20

# Measured: one automaton for 64 patterns answers about 50 times faster than 64 searches, while one
# for a thousand outgrows its memory and is rebuilt all the time.
GROUP_SIZE = 64


class BadPattern(ValueError):
    """RE2 does not take this pattern; str() says why, in RE2's words."""


class Pattern(Protocol):
    """A compiled pattern."""

    def search(self, text: bytes) -> object | None:
        """Return something if the pattern is found in `text`, which is UTF-8."""
        ...


def _options(max_mem: int) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = max_mem
    return options


def compile_pattern(pattern: str) -> Pattern:
    """Compile one pattern: letter case does not count, memory is bounded.

    Raises BadPattern.
    """
    try:
        compiled: Pattern = re2.compile(pattern, _options(MAX_PATTERN_MEMORY))
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(text) from None
    return compiled


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns in rank order, best first."""

    _groups: tuple["Group", ...]

    @classmethod
    def of(cls, patterns: Sequence[str]) -> "Patterns":
        """Compile every pattern. Raises BadPattern."""
        starts = range(0, len(patterns), GROUP_SIZE)
        return cls(tuple(Group.of(patterns[start : start + GROUP_SIZE]) for start in starts))

    def first(self, text: str, before: int) -> int | None:
        """Return the index of the best pattern found in `text`, if it is below `before`."""
        if not self._groups:
            return None
        encoded = text.encode()
        for number, group in enumerate(self._groups):
            start = number * GROUP_SIZE
            if start >= before:
                return None
            found = group.first(encoded)
            if found is not None:
                return start + found if start + found < before else None
        return None


@dataclass(frozen=True, slots=True)
class Group:
    """Some patterns as one automaton, and one by one for when that runs out of memory."""

    singles: tuple[Pattern, ...]
    together: re2.Set | None

    @classmethod
    def of(cls, patterns: Sequence[str]) -> "Group":
        return cls(tuple(compile_pattern(pattern) for pattern in patterns), _together(patterns))

    def first(self, encoded: bytes) -> int | None:
        matches = self.together.Match(encoded) if self.together is not None else None
        if not matches:
            return self._first_of_singles(encoded)
        best: int = min(matches)
        return best if best < len(self.singles) else None

    def _first_of_singles(self, encoded: bytes) -> int | None:
        found = (n for n, single in enumerate(self.singles) if single.search(encoded))
        return next(found, None)


def _together(patterns: Sequence[str]) -> re2.Set | None:
    together = re2.Set.SearchSet(_options(MAX_GROUP_MEMORY))
    # A set that runs out of memory while it searches says "nothing found". The empty pattern,
    # added last, is always found: an answer without it is no answer.
    try:
        for pattern in (*patterns, ""):
            together.Add(pattern)
        together.Compile()
    except re2.error:
        return None
    return together

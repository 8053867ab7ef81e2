"""Compiles operators' regular expressions with RE2, alone and in groups.

RE2 searches in linear time, so no pattern that an operator writes can hang the service.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import re2

MAX_PATTERN_MEMORY = 1 << 20
MAX_GROUP_MEMORY = 8 << 20

# Measured: one automaton for 64 patterns answers about 50 times faster than 64 searches, while one
# for a thousand outgrows its memory and is rebuilt all the time.
GROUP_SIZE = 64

# Measured: the automaton of 60 patterns with 400 instructions each takes 200 ms on a text that
# makes it forget its states again and again, and one search can't be interrupted.
MAX_GROUP_PROGRAM = 3000


class BadPattern(ValueError):
    """RE2 rejects this pattern; str() gives RE2's reason."""


class RegexMatch(Protocol):
    """One match of a pattern in a text."""

    def group(self, number: int = 0) -> bytes | None:
        """Return the bytes that a group captured; None if the group took no part in the match."""
        ...


class Pattern(Protocol):
    """A compiled pattern.

    groups: the number of its groups. groupindex: group numbers by name. programsize: of how many
    instructions it consists.
    """

    groups: int
    programsize: int
    groupindex: Mapping[str, int]

    def search(self, text: bytes) -> RegexMatch | None:
        """Return the first match in `text`, which is UTF-8; None if there is none."""
        ...


def _options(max_mem: int, *, case_sensitive: bool, capture: bool = False) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.never_capture = not capture
    options.log_errors = False
    options.max_mem = max_mem
    return options


def compile_pattern(
    pattern: str, *, case_sensitive: bool = False, capture: bool = False
) -> Pattern:
    """Compile one pattern with bounded memory. Raises BadPattern.

    capture: whether the groups of its matches can be read; searching is faster without.
    """
    options = _options(MAX_PATTERN_MEMORY, case_sensitive=case_sensitive, capture=capture)
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(text) from None
    return compiled


@dataclass(frozen=True, slots=True)
class PatternGroup:
    """Up to GROUP_SIZE patterns that are searched together.

    ranks: the ranks of the patterns' rules, ascending. singles: the patterns one by one, in the
    same order, for texts on which the automaton runs out of memory. together: all patterns as one
    automaton; None if they are too large for one, or only one.
    """

    ranks: tuple[int, ...]
    singles: tuple[Pattern, ...]
    together: re2.Set | None

    @classmethod
    def of(
        cls, patterns: Sequence[tuple[int, str]], *, case_sensitive: bool = False
    ) -> "PatternGroup":
        """Compile patterns, given as rank and pattern by rising rank. Raises BadPattern."""
        return cls(
            tuple(rank for rank, _ in patterns),
            tuple(
                compile_pattern(pattern, case_sensitive=case_sensitive) for _, pattern in patterns
            ),
            _together([pattern for _, pattern in patterns], case_sensitive)
            if len(patterns) > 1
            else None,
        )

    def found_in(self, encoded: bytes, may_search: Callable[[], bool]) -> list[int]:
        """Return the ranks of the patterns that match in a text, which is UTF-8.

        may_search: is asked before each search of a single pattern.
        """
        matches = self.together.Match(encoded) if self.together is not None else None
        if not matches:
            return [
                rank
                for rank, single in zip(self.ranks, self.singles, strict=True)
                if may_search() and single.search(encoded)
            ]
        return [self.ranks[match] for match in matches if match < len(self.ranks)]


def search(pattern: Pattern, forms: Iterable[bytes]) -> RegexMatch | None:
    """Return the match in the first form of a text that has one; None if no form has one."""
    for form in forms:
        found = pattern.search(form)
        if found is not None:
            return found
    return None


def groups_of(
    patterns: Sequence[tuple[int, str]], *, case_sensitive: bool = False
) -> tuple[PatternGroup, ...]:
    """Compile patterns, given by rising rank, in groups. Raises BadPattern.

    A group has up to GROUP_SIZE patterns, and up to MAX_GROUP_PROGRAM instructions unless it is one
    pattern.
    """
    groups: list[list[tuple[int, str]]] = []
    size = 0
    for rank, pattern in patterns:
        added = compile_pattern(pattern, case_sensitive=case_sensitive).programsize
        if not groups or size + added > MAX_GROUP_PROGRAM or len(groups[-1]) == GROUP_SIZE:
            groups.append([])
            size = 0
        groups[-1].append((rank, pattern))
        size += added
    return tuple(PatternGroup.of(group, case_sensitive=case_sensitive) for group in groups)


def _together(patterns: Sequence[str], case_sensitive: bool) -> re2.Set | None:
    together = re2.Set.SearchSet(_options(MAX_GROUP_MEMORY, case_sensitive=case_sensitive))
    # A set that runs out of memory while it searches reports no match at all. The empty pattern,
    # added last, matches every text: a result without it means that the search was given up.
    try:
        for pattern in (*patterns, ""):
            together.Add(pattern)
        together.Compile()
    except re2.error:
        return None
    return together

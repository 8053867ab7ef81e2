"""Measures what a pattern costs, and bounds what all patterns cost for one message.

RE2 searches in linear time, but the constant grows with the pattern: a counted repetition such as
`[^a]{0,999}b` becomes ten thousand instructions, leaves the automaton and takes a hundred times as
long as a usual pattern, for every text of every follower.
"""

import random
import re
import time
from functools import lru_cache
from typing import Final

from app.rules.text.regex import Pattern, compile_pattern

MAX_COST_SECONDS: Final = 0.003
"""What one search of a pattern may take in a text of MEASURED_BYTES that does not match."""

STORED_LENIENCY: Final = 4
"""How much slower a stored pattern may be, so that a slower machine still uses it."""

BUDGET_SECONDS: Final = 0.05
"""What all patterns together may take for one message. Usual sets take less than a millisecond."""

MEASURED_BYTES: Final = 4096

# A search takes at most 4 ns for each instruction and byte (measured with patterns that leave the
# automaton), so smaller programs can't be too slow and need not be measured.
_SMALL_PROGRAM: Final = 180
_RUNS: Final = 2
# Parts of the text that are searched before all of it, and how far beyond what is far too slow the
# whole must seem to be: of a short text the time says less.
_PARTS: Final = ((32, 2.0), (8, 1.5), (2, 1.0))
_FAR_TOO_SLOW: Final = MAX_COST_SECONDS * STORED_LENIENCY
_OTHERS: Final = "x0 ,。中文"
_LITERAL: Final = re.compile(r"\w")


@lru_cache(maxsize=4096)
def cost_of(pattern: str, *, case_sensitive: bool = False) -> float:
    """Return the seconds that a search takes at worst; 0 for a small pattern. Raises BadPattern."""
    compiled = compile_pattern(pattern, case_sensitive=case_sensitive)
    if compiled.programsize < _SMALL_PROGRAM:
        return 0.0
    most = 0.0
    for text in _texts(pattern):
        most = max(most, _seconds(compiled, text))
        if most > MAX_COST_SECONDS:
            break
    return most


def _seconds(pattern: Pattern, text: bytes) -> float:
    # A pattern that is far too slow is known after a part of the text; all of it takes long.
    for part, certainty in _PARTS:
        whole = _run(pattern, text[: len(text) // part]) * part
        if whole > _FAR_TOO_SLOW * certainty:
            return whole
    return _fastest(pattern, text)


def _fastest(pattern: Pattern, text: bytes) -> float:
    """Return the time of a search, of two if one alone leaves a doubt."""
    least = float("inf")
    for _ in range(_RUNS):
        least = min(least, _run(pattern, text))
        if not MAX_COST_SECONDS / 2 <= least <= _FAR_TOO_SLOW * 1.5:
            break
    return least


def _run(pattern: Pattern, text: bytes) -> float:
    began = time.thread_time()
    pattern.search(text)
    return time.thread_time() - began


def _texts(pattern: str) -> list[bytes]:
    """Return texts in which a search for the pattern is slow: of its characters, and of others."""
    letters = "".join(sorted(set(_LITERAL.findall(pattern))))
    chance = random.Random(0)  # noqa: S311 - the same texts for every measurement
    alphabets = (_OTHERS[0], _OTHERS, letters + _OTHERS)
    return [
        "".join(chance.choices(alphabet, k=MEASURED_BYTES)).encode()[:MEASURED_BYTES]
        for alphabet in alphabets
    ]


class SearchBudget:
    """What patterns may still take for one message. skipped: how many searches were left out."""

    def __init__(self, seconds: float = BUDGET_SECONDS) -> None:
        self._seconds = seconds
        self._began_cpu = 0.0
        self._began: float | None = None
        self.skipped = 0

    def allows(self) -> bool:
        """Tell whether another search may begin; if not, it counts as skipped."""
        now = time.perf_counter()
        if self._began is None:
            self._began, self._began_cpu = now, time.thread_time()
            return True
        # The time of this thread alone is looked at only when the clock says that it is up.
        if now - self._began < self._seconds:
            return True
        if time.thread_time() - self._began_cpu < self._seconds:
            return True
        self.skipped += 1
        return False

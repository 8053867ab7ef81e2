"""Operators' patterns: bounded, linear, and right when memory runs out."""

import pytest
import re2

from app.rules.patterns import GROUP_SIZE, BadPattern, Group, Patterns, compile_pattern

# Alone each fits its memory; together they are too much for one automaton.
GREEDY = [rf"[\p{{L}}{n}]{{1,20}}end{n}" for n in range(GROUP_SIZE)]


@pytest.mark.parametrize("pattern", ["(", "(?=look)", r"(a)\1", "a{1001}", "[[:what:]]"])
def test_what_re2_does_not_take_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"\w"):
        compile_pattern(pattern)


def test_a_pattern_that_needs_too_much_memory_is_refused() -> None:
    with pytest.raises(BadPattern, match="too large"):
        compile_pattern(r"(\p{L}{500}){2}")


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+$", "(a|a)*c", "(.*)*(.*)*x"])
def test_nested_repetition_is_answered_however_long_the_text(pattern: str) -> None:
    # A backtracking matcher would not end within the age of the universe.
    assert Patterns.of([pattern]).first("a" * 60_000 + "!", before=1) is None


def test_patterns_too_big_for_one_automaton_are_still_found() -> None:
    patterns = Patterns.of(GREEDY)

    assert patterns.first("好" * 8 + "end7", before=GROUP_SIZE) == 7
    assert patterns.first("end", before=GROUP_SIZE) is None


def test_an_automaton_that_gives_up_on_a_text_is_not_believed() -> None:
    gave_up = re2.Set.SearchSet()
    gave_up.Add("never found")
    gave_up.Compile()
    group = Group(singles=(compile_pattern("商"), compile_pattern("城")), together=gave_up)

    assert group.first("城".encode()) == 1
    assert group.first("市".encode()) is None


def test_only_a_pattern_before_the_limit_counts() -> None:
    patterns = Patterns.of([*(f"no{n}" for n in range(GROUP_SIZE)), "yes"])

    assert patterns.first("yes", before=GROUP_SIZE + 1) == GROUP_SIZE
    assert patterns.first("yes", before=GROUP_SIZE) is None
    assert patterns.first("no5", before=5) is None
    assert patterns.first("no5", before=6) == 5

"""Operators' patterns: bounded, linear, and right when memory runs out."""

import pytest
import re2

from app.rules.text.regex import GROUP_SIZE, BadPattern, PatternGroup, compile_pattern, groups_of
from app.rules.text.regex_prefilter import Prefilter

# Alone each fits its memory; together they are too much for one automaton.
GREEDY = [rf"[\p{{L}}{n}]{{1,20}}end{n}" for n in range(GROUP_SIZE)]


def always() -> bool:
    return True


def ranked(patterns: list[str]) -> list[tuple[int, str]]:
    return list(enumerate(patterns))


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
    assert PatternGroup.of(ranked([pattern])).found_in(b"a" * 60_000 + b"!", always) == []


def test_patterns_too_big_for_one_automaton_are_still_found() -> None:
    group = PatternGroup.of(ranked(GREEDY))

    assert group.together is None
    assert group.found_in(("好" * 8 + "end7").encode(), always) == [7]
    assert group.found_in(b"end", always) == []


def test_an_automaton_that_gives_up_on_a_text_is_not_believed() -> None:
    gave_up = re2.Set.SearchSet()
    gave_up.Add("never found")
    gave_up.Compile()
    group = PatternGroup((3, 5), (compile_pattern("商"), compile_pattern("城")), gave_up)

    assert group.found_in("城".encode(), always) == [5]
    assert group.found_in("市".encode(), always) == []


def test_every_pattern_that_fits_is_found_by_its_rank() -> None:
    first, second = groups_of([(7 * n, f"no{n}$") for n in range(GROUP_SIZE)] + [(999, "no")])

    assert sorted(first.found_in(b"no5", always)) == [35]
    assert second.found_in(b"no5", always) == [999]


def test_large_patterns_share_an_automaton_with_few_others() -> None:
    large = [f"(.{{0,15}}x){{3}}{number}" for number in range(GROUP_SIZE)]

    groups = groups_of(ranked(large))

    assert [rank for group in groups for rank in group.ranks] == [*range(GROUP_SIZE)]
    assert 5 < len(groups) < GROUP_SIZE
    assert all(len(group.ranks) == 1 for group in groups_of(ranked([".{0,400}a", ".{0,400}b"])))


def test_patterns_that_share_a_word_are_looked_for_together() -> None:
    shared = [(number, f"price.*{number}$") for number in range(40)]

    prefilter, others = Prefilter.of([*shared, (40, "other")])

    assert [rank for rank, _ in prefilter.found_in("any other price")] == [40]
    assert others == shared

"""The comparison finds what was lost and what was doubled."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.campaign.figures import Figures, Push, Tables, compare, pushes_of, refusals_of
from tests.campaign.page_table import replaced

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def entry(kind: str, seconds: float, **facts: object) -> dict[str, Any]:
    return {"kind": kind, "at": (NOON + timedelta(seconds=seconds)).isoformat(), **facts}


def delivery(
    push_id: int, seconds: float, verdict: str, outcome: str | int = 200
) -> dict[str, Any]:
    """outcome: the HTTP status, or why there was none."""
    status, end = (outcome, "answered") if isinstance(outcome, int) else (None, outcome)
    facts = {"status": status, "outcome": end, "answer": {"verdict": verdict}}
    return entry("delivery", seconds, id=99, push_id=push_id, **facts)


def compared(pushes: list[Push], callbacks: list[str], cards: list[str]) -> Figures:
    tables = Tables(Counter(callbacks), Counter(cards))
    return compare(pushes, tables, seconds=2, recovery=1.5)


def test_a_push_is_acknowledged_by_any_of_its_deliveries() -> None:
    entries = [
        entry("push", 0, id=1, openid="a"),
        entry("push", 1, id=2, openid="b"),
        entry("push", 1, id=3, openid="c"),
        delivery(1, 5, "malformed"),
        delivery(1, 6, "passive"),
        delivery(2, 1.25, "success"),
        delivery(2, 7, "success"),
        delivery(3, 2, "malformed"),
    ]

    noon = NOON.timestamp()
    assert pushes_of(entries) == [
        Push("a", noon, 6),
        Push("b", noon + 1, 0.25),
        Push("c", noon + 1, None),
    ]


def test_it_is_told_how_the_deliveries_of_refused_pushes_ended() -> None:
    entries = [
        entry("push", 0, id=1, openid="a"),
        delivery(1, 5, "malformed", "timeout"),
        delivery(1, 6, "success"),
        delivery(2, 5, "malformed", "timeout"),
        delivery(3, 0, "malformed", "connection_failed"),
        delivery(2, 6, "malformed", 503),
        delivery(3, 6, "malformed", "timeout"),
        delivery(4, 5, "malformed", "timeout"),
        delivery(4, 6, "malformed", 503),
    ]

    assert refusals_of(entries) == {"timeout, 503": 2, "connection_failed, timeout": 1}


def test_nothing_is_wrong_when_everything_acknowledged_is_there_once() -> None:
    figures = compared([Push("a", 0, 0.5), Push("b", 0, 3)], ["a", "b"], ["a", "b"])

    assert figures == Figures(2, 2, 0, 0, 0, 0, worst=3, goodput=1, recovery=1.5)
    assert figures.kept_its_word


def test_an_acknowledged_push_that_is_not_stored_is_lost_and_a_refused_one_is_not() -> None:
    figures = compared([Push("a", 0, 1), Push("b", 0, 1), Push("c", 0, None)], ["a"], ["a"])

    assert (figures.lost, figures.refused, figures.kept_its_word) == (1, 1, False)


def test_a_callback_that_is_stored_twice_is_doubled() -> None:
    figures = compared([Push("a", 0, 1)], ["a", "a", "a"], ["a"])

    assert (figures.doubled, figures.cards_doubled, figures.kept_its_word) == (2, 0, False)


def test_cards_are_counted_apart() -> None:
    figures = compared([Push("a", 0, 1), Push("b", 0, 1)], ["a", "b"], ["a", "a"])

    assert (figures.cards_doubled, figures.cards_missing) == (1, 1)
    assert figures.kept_its_word


def test_the_line_names_every_figure() -> None:
    figures = compared([Push("a", 0, 1.234), Push("b", 0, None)], ["a"], ["a"])

    assert figures.line("kills") == (
        "kills: sent 2, acknowledged 1, refused 1, lost 0, "
        "doubled 0, cards missing 0, cards doubled 0, worst latency 1.23 s, "
        "goodput 0/s, recovery 1.5 s"
    )


def test_what_is_refused_after_the_recovery_is_told_apart() -> None:
    pushes = [Push("a", 1, None), Push("b", 9, None), Push("c", 9, 0.1)]
    tables = Tables(Counter(["c"]), Counter(["c"]))

    figures = compare(pushes, tables, seconds=2, recovery=1, recovered_at=5)

    assert (figures.refused, figures.refused_after) == (2, 1)
    assert figures.named()["refused"] == "2 (1 after the recovery)"


def test_figures_take_the_place_of_earlier_ones_in_their_row_alone() -> None:
    page = "| `kills` | what | 1 | 2 |\n| `kills-more` | what | – | – |\n"

    assert replaced(page, "kills", ["3", "4"]) == page.replace("1 | 2", "3 | 4")

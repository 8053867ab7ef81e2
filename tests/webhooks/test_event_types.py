"""Event types and the patterns that choose among them."""

import pytest

from app.webhooks.event_types import HISTORY, EventType, Pattern, chosen
from app.webhooks.source_events import SOURCES


def test_every_type_but_the_ping_comes_from_a_table_and_can_be_chosen() -> None:
    assert set(SOURCES) == HISTORY
    assert set(map(str, HISTORY)) <= set(map(str, Pattern))
    assert chosen(["*"]) == HISTORY


@pytest.mark.parametrize("pattern", list(Pattern))
def test_every_pattern_chooses_something_and_never_a_ping(pattern: Pattern) -> None:
    assert chosen([pattern])
    assert EventType.PING not in chosen([pattern])


def test_patterns_add_up() -> None:
    assert chosen(["follow.created", "follow.*", "scan.created"]) == {
        EventType.FOLLOW_CREATED,
        EventType.FOLLOW_DELETED,
        EventType.SCAN_CREATED,
    }

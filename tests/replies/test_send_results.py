"""What a worker remembers of sends that the database has not taken is bounded."""

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from app.replies import send_results
from app.replies.models import Reply
from app.replies.send_results import SendResult, SendResults
from tests.service import WorldClock

MOST = 3


@pytest.fixture(autouse=True)
def most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound that is soon reached."""
    monkeypatch.setattr(send_results, "MAX_RESULTS", MOST)


def ids() -> list[UUID]:
    return [uuid7() for _ in range(MOST + 1)]


def test_beyond_the_bound_the_oldest_result_is_forgotten(clock: WorldClock) -> None:
    results = SendResults()
    found = ids()
    for reply_id in found:
        results.add(SendResult(Reply(id=reply_id), None, clock.now(), clock.now()))

    assert [reply_id for reply_id in found if results.get(reply_id) is not None] == found[1:]


def test_beyond_the_bound_the_oldest_failed_claim_is_forgotten(clock: WorldClock) -> None:
    results = SendResults()
    found = ids()
    for reply_id in found:
        results.claiming(reply_id, clock.now())

    assert [reply_id for reply_id in found if results.unsent_since(reply_id)] == found[1:]

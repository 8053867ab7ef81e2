"""`/api/chart-notes`: notes of operators are added, changed, deleted and listed."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from app.chart_notes import store
from tests.service import APPID, Json, Service, column

NOTE = {"text": "Double Eleven <sale>", "day": "2026-11-11"}


async def added(service: Service, **changes: object) -> Json:
    answer = await service.api("POST", "chart-notes", json=NOTE | changes)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def test_a_note_is_added_changed_and_deleted_and_each_is_written_down(
    service: Service, connection: asyncpg.Connection
) -> None:
    note = await added(service)
    assert (note["text"], note["day"], note["at"]) == (NOTE["text"], "2026-11-11", None)
    assert note["appid"] is None

    changed = {"text": "Moved", "at": "2026-11-11T20:00:00+08:00", "appid": APPID}
    answer = await service.api("PUT", f"chart-notes/{note['id']}", json=changed)
    assert answer.json()["day"] is None
    assert datetime.fromisoformat(answer.json()["at"]) == datetime(2026, 11, 11, 12, tzinfo=UTC)
    (stored,) = (await service.read("chart-notes"))["items"]
    assert (stored["text"], stored["at"]) == ("Moved", "2026-11-11T12:00:00Z")

    gone = await service.api("DELETE", f"chart-notes/{note['id']}")
    assert gone.status_code == 204
    assert (await service.read("chart-notes"))["items"] == []
    assert await column(connection, "SELECT action FROM audit_log ORDER BY id") == [
        "chart_note.added",
        "chart_note.changed",
        "chart_note.deleted",
    ]


async def test_the_list_is_read_page_by_page_and_for_one_account(service: Service) -> None:
    texts = [str(number) for number in range(5)]
    for number, text in enumerate(texts):
        appid = {"appid": APPID} if number % 2 else {}
        await added(service, text=text, **appid)
    await added(service, text="other", appid="wx00000000000000aa")

    first = await service.read("chart-notes", limit=3, appid=APPID)
    second = await service.read("chart-notes", limit=3, appid=APPID, before=first["next"])
    assert [one["text"] for one in [*first["items"], *second["items"]]] == texts[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": "   "},
        {"text": "x" * 201},
        {"text": "a\x00b"},
        {"day": None},
        {"at": "2026-11-11T00:00:00Z"},
        {"day": None, "at": "2026-11-11T00:00:00"},
        {"day": "0001-01-01"},
        {"appid": "wx"},
        {"more": 1},
    ],
)
async def test_a_note_that_can_t_be_shown_is_refused(service: Service, change: Json) -> None:
    answer = await service.api("POST", "chart-notes", json=NOTE | change)
    assert answer.status_code == 422


async def test_a_note_that_is_not_there_is_not_found(service: Service) -> None:
    assert (await service.api("DELETE", f"chart-notes/{uuid4()}")).status_code == 404
    assert (await service.api("PUT", f"chart-notes/{uuid4()}", json=NOTE)).status_code == 404


async def test_there_are_not_more_notes_than_there_may_be(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_NOTES", 1)
    await added(service)
    answer = await service.api("POST", "chart-notes", json=NOTE)
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "there are 1 notes: delete some first",
    )

"""`/api/arrivals`: what is stored, repeated, refused and listed."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.arrivals import commit_reports
from app.db.engine import Database
from app.settings import Settings
from tests.arrivals.makers import MP_OPENID, UNIONID, conversion, launch, listed, report
from tests.service import APPID, CARD_APPID, Json, Service, WorldClock, column, rows, running

COUNT = "SELECT count(*) FROM arrivals"


async def test_a_report_is_stored_once_however_often_it_comes(
    service: Service, connection: asyncpg.Connection
) -> None:
    one, two = launch(service, query={"a": "1", "b": "x y&z"}), conversion(service)

    first = await report(service, one, two, one)
    again = await report(service, two | {"value": 99, "name": "other"}, one)

    assert (first["received"], first["stored"], first["repeated"]) == (3, 2, 1)
    assert (again["stored"], again["repeated"]) == (0, 2)
    found = {item["kind"]: item for item in await listed(service)}
    assert found["launch"]["query"] == "a=1&b=x%20y%26z"
    assert (found["conversion"]["name"], found["conversion"]["value"]) == ("purchase", "12.5")
    assert not found["launch"]["settled"]
    assert await column(connection, COUNT) == [2]


async def test_eight_requests_at_once_store_each_report_once(
    service: Service,
    settings: Settings,
    clock: WorldClock,
    tmp_path: Path,
    connection: asyncpg.Connection,
) -> None:
    reports = [launch(service, id=f"same-{number}") for number in range(200)]
    data = {"data_dir": tmp_path / "other"}
    async with running(settings.model_copy(update=data), clock) as other:
        answers = await asyncio.gather(
            *(
                report(one, *(reports if turn % 2 else reversed(reports)))
                for turn in range(4)
                for one in (service, other)
            )
        )

    assert sum(answer["stored"] for answer in answers) == 200
    assert sum(answer["repeated"] for answer in answers) == 7 * 200
    assert await column(connection, COUNT) == [200]


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"appid": "wx00000000000000ff"}, ["appid"]),
        ({"appid": APPID}, ["appid"]),
        ({"appid": "wx1"}, ["appid"]),
        ({"id": ""}, ["id"]),
        ({"id": "x" * 65}, ["id"]),
        ({"kind": "visit"}, []),
        ({"openid": "erased:1"}, ["openid"]),
        ({"scene": -1}, ["scene"]),
        ({"path": "p" * 1025}, ["path"]),
        ({"path": "p\x00"}, ["path"]),
        ({"query": "q" * 2049}, ["query"]),
        ({"query": {"a": {"b": 1}}}, ["query"]),
        ({"query": {str(number): "1" for number in range(65)}}, ["query"]),
        ({"at": "2026-01-01T00:00:00"}, ["at"]),
        ({"extra": 1}, ["extra"]),
    ],
)
async def test_a_bad_report_is_named_and_keeps_no_other_from_being_stored(
    service: Service, changes: Json, member: list[str]
) -> None:
    bad = launch(service, **changes)

    found = await report(service, launch(service), bad, launch(service))
    alone = await service.api("POST", "arrivals", json={"reports": [bad]})

    assert (found["stored"], found["refused"]) == (2, 1)
    assert found["problems"][0]["loc"][:4] == ["body", "reports", 1, *member]
    assert alone.status_code == 422
    assert alone.json()["detail"][0]["loc"][:4] == ["body", "reports", 0, *member]


@pytest.mark.parametrize(
    ("shift", "stored"),
    [
        (timedelta(minutes=10), 1),
        (timedelta(minutes=10, seconds=1), 0),
        (timedelta(days=-7), 1),
        (timedelta(days=-7, seconds=-1), 0),
    ],
)
async def test_a_report_is_neither_from_later_nor_a_week_old(
    service: Service, shift: timedelta, stored: int
) -> None:
    at = (service.clock.now() + shift).isoformat()
    found = await report(service, launch(service, at=at), launch(service))

    assert (found["stored"], found["refused"]) == (1 + stored, 1 - stored)


async def test_a_request_holds_a_thousand_reports(service: Service) -> None:
    query = {"ref": "x" * 10} | {f"name{number}": "value" for number in range(9)}
    many = [launch(service, query=query) for _ in range(1000)]

    assert (await report(service, *many))["stored"] == 1000
    more = await service.api("POST", "arrivals", json={"reports": [*many, launch(service)]})
    assert more.status_code == 422


async def test_pages_of_the_list_follow_each_other(service: Service) -> None:
    for number in range(5):
        await report(service, launch(service, id=f"n{number}", path=f"pages/{number}"))
    await report(service, conversion(service, unionid=UNIONID))

    seen: list[str] = []
    cursor: Json = {}
    while True:
        page = await service.read("arrivals", limit=2, kind="launch", **cursor)
        seen += [item["path"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"before": page["next"]}
    assert seen == [f"pages/{number}" for number in reversed(range(5))]
    assert len(await listed(service, unionid=UNIONID)) == 1
    assert len(await listed(service, openid=MP_OPENID)) == 6
    assert not await listed(service, appid="wx00000000000000ff")
    later = (service.clock.now() + timedelta(hours=1)).isoformat()
    assert not await listed(service, since=later)


async def test_what_the_database_refuses_costs_its_own_request_alone(
    service: Service, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "ALTER TABLE arrivals ADD CONSTRAINT no_bad CHECK (path IS DISTINCT FROM 'bad')"
    )
    bodies = [launch(service, path=path) for path in ("good", "bad", "fine")]
    answers = await asyncio.gather(
        *(service.api("POST", "arrivals", json={"reports": [body]}) for body in bodies),
        return_exceptions=True,
    )

    codes = [getattr(answer, "status_code", 500) for answer in answers]
    assert (codes[0], codes[2]) == (200, 200)
    assert codes[1] >= 500
    assert await column(connection, "SELECT path FROM arrivals ORDER BY path") == ["fine", "good"]


async def test_too_many_waiting_reports_are_sent_away(
    service: Service, monkeypatch: pytest.MonkeyPatch, connection: asyncpg.Connection
) -> None:
    monkeypatch.setattr(commit_reports, "MAX_WAITING", 1)
    answer = await service.api(
        "POST", "arrivals", json={"reports": [launch(service), launch(service)]}
    )

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert await column(connection, COUNT) == [0]


async def test_a_report_changes_no_identity_and_is_noted_once_an_hour(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    del database
    for _ in range(3):
        await report(service, launch(service, unionid=UNIONID))

    assert await rows(connection, "SELECT * FROM openids") == []
    assert await rows(connection, "SELECT * FROM unionid_changes") == []
    audit = "SELECT subject_id FROM audit_log WHERE action = 'arrivals.reported'"
    assert await column(connection, audit) == [CARD_APPID]

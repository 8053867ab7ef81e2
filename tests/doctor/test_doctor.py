"""What the doctor of one process remembers."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.db.engine import open_database
from app.doctor import doctor as examining
from app.doctor.doctor import FRESH_FOR, Doctor, make_doctor
from app.doctor.facts import Facts
from app.doctor.finding import State
from app.doctor.gather import gather
from tests.doctor.findings import examine, one
from tests.service import APPID, Service


async def test_findings_are_read_once_in_a_few_seconds_however_many_ask(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor: Doctor = service.app.state.doctor
    readings = 0

    async def counting(*arguments: object) -> Facts:
        nonlocal readings
        readings += 1
        return await gather(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(examining, "gather", counting)
    first = await asyncio.gather(*(doctor.recent_findings() for _ in range(5)))
    at_once = readings
    service.clock.advance(FRESH_FOR - timedelta(seconds=1))
    await doctor.recent_findings()
    while_fresh = readings
    service.clock.advance(timedelta(seconds=1))
    await doctor.recent_findings()

    assert (at_once, while_fresh, readings) == (1, 1, 2)
    assert all(found == first[0] for found in first)


async def test_the_usual_pause_is_that_of_the_last_week(
    service: Service, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        """
        INSERT INTO callbacks
            (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
        SELECT gen_random_uuid(), $1, sha256(ago::text::bytea), '', 'text', $2::timestamptz - ago,
               $2::timestamptz - ago, '{}'
        FROM (
            SELECT number * interval '3 minutes' + interval '2 hours'
            FROM generate_series(0, 40) AS number
            UNION ALL SELECT interval '60 days'
        ) AS pushes (ago)
        """,
        APPID,
        service.clock.now(),
    )

    found = (await examine(service))["last-push"]

    assert found["state"] == "look"
    assert found["what"]["en"].endswith("2 hours ago; usually one comes every 3 minutes.")
    assert found["what"]["zh"] == "最近一次推送在 2 小时前；通常每 3 分钟一次。"


async def test_it_is_told_since_when_the_database_is_away(service: Service) -> None:
    away = open_database("postgresql://oa@127.0.0.1:1/oa")
    without = make_doctor(service.settings, away, service.clock)
    began = service.clock.now()

    first = one(await without.findings(), "database")
    service.clock.advance(timedelta(minutes=5))
    later = one(await without.findings(), "database")
    await away.close()

    assert (first.state, later.state) == (State.FAULT, State.FAULT)
    assert first.since == later.since == began

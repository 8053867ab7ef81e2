"""What happened stands on the days of the charts, in whatever zone they are."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg

from app.chart_notes.sources import SOURCES
from app.doctor import store
from app.doctor.finding import Both, Finding, State
from app.wechat.ids import AppId
from app.wechat_client import call_counts, problem_store
from tests.campaigns.makers import added as campaign
from tests.service import APPID, Json, Service, text_reply

AT = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)  # half past one of the next day in Shanghai
OTHER = "wx00000000000000aa"


async def marks(service: Service, zone: str = "Asia/Shanghai", **more: Any) -> list[Json]:  # noqa: ANN401
    query = {"from": "2026-11-20", "until": "2026-11-21", "time_zone": zone, **more}
    found: list[Json] = (await service.read("stats/marks", **query))["marks"]
    return found


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def told(found: list[Json], *names: str) -> list[tuple[object, ...]]:
    return [tuple(one[name] for name in names) for one in found]


async def test_changed_rules_are_counted_once_a_day(
    service: Service, connection: asyncpg.Connection
) -> None:
    first = await service.add_rule(text_reply())
    await service.replace_rule(first, text_reply("other"))
    await service.add_rule(text_reply(), appid=APPID)
    others = await service.add_rule(text_reply(), appid=APPID)
    await connection.execute(
        "UPDATE rule_revisions SET rule = rule || $1 WHERE rule_id = $2",
        json.dumps({"appid": OTHER}),
        others,
    )
    await connection.execute("UPDATE rule_revisions SET changed_at = $1", AT)

    assert told(await marks(service, appid=APPID), "kind", "day", "count") == [
        ("rules", "2026-11-21", 2)
    ]
    assert told(await marks(service, "UTC"), "day", "count") == [("2026-11-20", 2)]


async def test_published_menus_are_marked_and_others_are_not(
    service: Service, connection: asyncpg.Connection
) -> None:
    for number, state in enumerate(("published", "failed", "published"), start=1):
        at = AT + timedelta(days=number - 1)
        await connection.execute(
            """INSERT INTO menu_versions (id, appid, number, mark, state, menu, sent, left_out,
                   created_at, finished_at, default_created, menuids, deleted_all, stop, attempts)
               VALUES ($1, $2, $3, $4, $5, '{}', '{}', '[]',
                   $6, $6, true, '[]', false, false, 0)""",
            uuid4(),
            APPID,
            number,
            str(number),
            state,
            at,
        )

    assert told(await marks(service), "kind", "appid", "count") == [("menu", APPID, 1)]


async def test_a_campaign_is_marked_where_it_begins_until_it_is_deleted(
    service: Service,
) -> None:
    ends = AT + timedelta(days=9)
    first = await campaign(service, name="Sale", starts_at=AT.isoformat(), ends_at=ends.isoformat())
    await campaign(
        service,
        name="later",
        starts_at=(AT + timedelta(days=1)).isoformat(),
        ends_at=ends.isoformat(),
    )

    (mark,) = await marks(service, appid=APPID)
    assert (mark["kind"], mark["day"], mark["text"]) == ("campaign", "2026-11-21", "Sale")
    assert datetime.fromisoformat(mark["until"]) == ends

    await service.api("DELETE", f"campaigns/{first['id']}")
    assert await marks(service) == []


async def push_day(
    connection: asyncpg.Connection, day: str, silences: list[list[str | None]]
) -> None:
    await connection.execute(
        """INSERT INTO push_days (appid, day, covered, follows, unfollows, qr_follows, texts,
               images, voices, videos, links, pushes, refused, hours, silences, counted_at)
           VALUES ($1, $2, true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]', $3, now())""",
        APPID,
        datetime.fromisoformat(day).date(),
        json.dumps(silences),
    )


async def test_a_silence_is_one_mark_however_long_it_lasts(
    service: Service, connection: asyncpg.Connection
) -> None:
    since, until = AT.isoformat(), (AT + timedelta(days=2)).isoformat()
    await push_day(connection, "2026-11-21", [[since, None]])
    await push_day(connection, "2026-11-22", [[since, None]])
    assert told(await marks(service), "kind", "until") == [("silence", None)]

    await push_day(connection, "2026-11-23", [[since, until]])
    (mark,) = await marks(service)
    assert datetime.fromisoformat(mark["at"]) == AT
    assert datetime.fromisoformat(mark["until"]) == AT + timedelta(days=2)


async def test_calls_that_wait_and_faults_that_last_are_marked(
    service: Service, connection: asyncpg.Connection
) -> None:
    for api, probe_at in (("menu/create", AT), ("user/info", None)):
        await connection.execute(
            "INSERT INTO api_problems (appid, api, errcode, errmsg, since, seen_at, probe_at) "
            "VALUES ($1, $2, 48001, 'no', $3, $3, $4)",
            APPID,
            api,
            AT,
            probe_at,
        )
    for check, state in (("webhooks", "fault"), ("rules", "look")):
        await connection.execute(
            "INSERT INTO doctor_findings VALUES ($1, '', $2, $3, $3)", check, state, AT
        )

    assert told(await marks(service), "kind", "appid", "text") == [
        ("calls_wait", APPID, "menu/create"),
        ("doctor", None, "webhooks"),
    ]


async def test_pauses_that_a_success_has_ended_stay_on_the_chart(
    service: Service, connection: asyncpg.Connection
) -> None:
    """By a call that succeeds, and by a clearing of the quota; kept as long as a chart is."""
    sessions = service.app.state.database.sessions
    old = service.clock.now() - timedelta(days=401)
    for api, since, errcode, probe_at in (
        ("menu/create", AT, 48001, AT),
        ("user/info", AT, 48001, None),
        ("media/upload", AT, 45009, AT),
        ("user/get", old, 45009, AT),
    ):
        await connection.execute(
            "INSERT INTO api_problems (appid, api, errcode, errmsg, since, seen_at, probe_at) "
            "VALUES ($1, $2, $3, 'no', $4, $4, $5)",
            APPID,
            api,
            errcode,
            since,
            probe_at,
        )
    until = AT + timedelta(hours=2)
    async with sessions.begin() as session:
        for api in ("menu/create", "user/info", "menu/create"):
            await problem_store.end(session, AppId(APPID), api, until)
        await problem_store.end_used_up_quotas(session, AppId(APPID), until)

    assert told(await marks(service), "kind", "appid", "text", "until") == [
        ("calls_wait", APPID, "media/upload", written(until)),
        ("calls_wait", APPID, "menu/create", written(until)),
    ]
    assert await connection.fetchval("SELECT count(*) FROM ended_pauses") == 3
    await call_counts.prune(sessions, service.clock)
    assert await connection.fetchval("SELECT count(*) FROM ended_pauses") == 2


async def test_faults_that_are_over_stay_on_the_chart(
    service: Service, connection: asyncpg.Connection
) -> None:
    sessions = service.app.state.database.sessions
    words = Both("so", "so")

    async def found(state: State, hours: int, check: str = "webhooks") -> None:
        finding = Finding(check, state, words, words)
        await store.with_since(sessions, [finding], AT + timedelta(hours=hours))

    for hours, state in enumerate(
        (State.FAULT, State.FAULT, State.LOOK, State.OK, State.FAULT, State.OK, State.FAULT)
    ):
        await found(state, hours)
    await found(State.LOOK, 0, "rules")
    await found(State.OK, 1, "rules")

    ends = [AT + timedelta(hours=2), AT + timedelta(hours=5), None]
    assert told(await marks(service), "kind", "text", "until") == [
        ("doctor", "webhooks", None if end is None else written(end)) for end in ends
    ]
    await store.with_since(sessions, [], AT + timedelta(days=401))
    assert await connection.fetchval("SELECT count(*) FROM ended_faults") == 0


async def test_notes_of_the_account_and_of_all_are_marked(service: Service) -> None:
    moment = AT.astimezone(ZoneInfo("America/New_York")).isoformat()
    for note in (
        {"text": "day", "day": "2026-11-21"},
        {"text": "moment", "at": moment, "appid": APPID},
        {"text": "other", "day": "2026-11-21", "appid": OTHER},
        {"text": "before", "day": "2026-11-19"},
        {"text": "end", "at": "2026-11-21T16:00:00Z"},
    ):
        assert (await service.api("POST", "chart-notes", json=note)).status_code == 201

    found = told(await marks(service), "text", "day")
    assert sorted(found) == [("day", "2026-11-21"), ("moment", "2026-11-21")]
    assert ("moment", "2026-11-20") in told(await marks(service, "UTC"), "text", "day")


def test_a_further_kind_is_one_function_in_a_list() -> None:
    assert len({source.__name__ for source in SOURCES}) == len(SOURCES)

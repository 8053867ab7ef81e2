"""`PUT /api/identities`, changes of UnionIDs, and accounts that are bound later."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.settings import Settings
from app.unionid_resolution.jobs import RESOLVE
from app.worker import Jobs
from simulator.followers import unionid_of
from tests.service import (
    ACCOUNT,
    APPID,
    BATCHGET,
    OPENID,
    Json,
    Service,
    WeChat,
    WorldClock,
    column,
    event,
    rows,
    running,
)
from tests.unionid_resolution.conftest import MINI_PROGRAM

POPUP = {"List": {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"}}
CHANGES = "SELECT openid, old_unionid, new_unionid, source FROM unionid_changes ORDER BY id"


def identity(unionid: str = "oUNION", **changes: str) -> Json:
    return {"appid": APPID, "openid": OPENID, "unionid": unionid, **changes}


async def report(service: Service, *identities: Json) -> Json:
    answer = await service.api("PUT", "identities", json={"identities": identities})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def some_rows(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))
    popup = event(service.clock, "subscribe_msg_popup_event", SubscribeMsgPopupEvent=POPUP)
    await service.push(popup)


UNIONIDS = {
    "openids": "SELECT unionid FROM openids",
    "follow_events": "SELECT unionid FROM follow_events",
    "subscription_events": "SELECT unionid FROM subscription_events",
    "followers": "SELECT unionid FROM followers",
    "consents": "SELECT unionid FROM consents",
}


async def unionids(connection: asyncpg.Connection) -> dict[str, Any]:
    return {table: await column(connection, query) for table, query in UNIONIDS.items()}


async def test_a_reported_unionid_is_set_in_every_row_of_its_openid(
    service: Service, connection: asyncpg.Connection
) -> None:
    await some_rows(service)

    assert await report(service, identity()) == {
        "received": 1,
        "changed": 0,
        "conflicts": 0,
        "erased": 0,
    }

    assert await unionids(connection) == {table: ["oUNION"] for table in UNIONIDS}
    (known,) = (await service.read("users/oUNION"))["openids"]
    assert (known["state"], known["reason"], known["next_try_at"]) == ("resolved", None, None)


async def test_a_report_may_come_before_everything_else_and_again(
    service: Service, connection: asyncpg.Connection
) -> None:
    mini = identity(appid=MINI_PROGRAM, openid="oMINI", unionid=" oUNION")
    for _ in range(2):
        assert await report(service, mini, identity(), mini) == {
            "received": 3,
            "changed": 0,
            "conflicts": 0,
            "erased": 0,
        }

    await some_rows(service)

    assert await column(connection, "SELECT unionid FROM follow_events") == ["oUNION"]
    assert await column(connection, "SELECT unionid FROM followers") == ["oUNION"]
    person = await service.read("users", appid=MINI_PROGRAM, openid="oMINI")
    assert [one["appid"] for one in person["openids"]] == [MINI_PROGRAM, APPID]
    assert [one["following"] for one in person["followers"]] == [True]


async def test_a_unionid_that_changes_is_kept_on_record_and_both_lead_to_the_person(
    service: Service, connection: asyncpg.Connection
) -> None:
    await some_rows(service)
    await report(service, identity("oOLD"))

    assert await report(service, identity("oNEW")) == {
        "received": 1,
        "changed": 1,
        "conflicts": 0,
        "erased": 0,
    }
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "unsubscribe"))

    assert await rows(connection, CHANGES) == [
        {"openid": OPENID, "old_unionid": "oOLD", "new_unionid": "oNEW", "source": "report"}
    ]
    assert await column(connection, "SELECT unionid FROM follow_events ORDER BY position") == [
        "oOLD",
        "oNEW",
    ]
    assert await column(connection, "SELECT unionid FROM followers") == ["oNEW"]
    for unionid in ("oOLD", "oNEW"):
        person = await service.read(f"users/{unionid}")
        (known,) = person["openids"]
        assert (known["unionid"], known["former_unionids"]) == ("oNEW", ["oOLD"])
        assert len(person["timeline"]["items"]) == 3
        events = await service.read("follow-events", unionid=unionid)
        assert [one["action"] for one in events["items"]] == ["follow", "unfollow"]


async def test_a_unionid_that_an_openid_came_back_to_is_no_former_one(service: Service) -> None:
    await some_rows(service)
    for unionid in ("oA", "oB", "oA", "oB", "oA"):
        await report(service, identity(unionid))

    (known,) = (await service.read("users/oA"))["openids"]

    assert (known["unionid"], known["former_unionids"]) == ("oA", ["oB"])


async def test_wechats_answer_that_differs_from_a_report_is_a_change(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await some_rows(service)
    await report(service, identity("oOLD"))
    await connection.execute(
        "UPDATE openids SET resolve_state = 'pending', resolve_next_at = '-infinity'"
    )

    await jobs.resolve({"appid": APPID})

    assert await rows(connection, CHANGES) == [
        {
            "openid": OPENID,
            "old_unionid": "oOLD",
            "new_unionid": unionid_of(OPENID),
            "source": "user_info",
        }
    ]


@pytest.mark.parametrize(
    ("body", "field", "fix"),
    [
        ({"identities": []}, "identities", "at least 1"),
        ({"identities": [identity()] * 1001}, "identities", "at most 1000"),
        ({"identities": [identity(appid="gh_1")]}, "appid", "pattern"),
        ({"identities": [identity(openid="")]}, "openid", "as WeChat returned it"),
        ({"identities": [identity(openid=" erased:1")]}, "openid", "report WeChat's id"),
        ({"identities": [identity("erased:1")]}, "unionid", "report WeChat's id"),
        (
            {"identities": [identity(), identity(appid="wx00000000000000ff")]},
            '["body", "identities", 1, "appid"]',
            "is not configured",
        ),
        ({"identities": [identity(unionid="a\x00b")]}, "unionid", "as WeChat returned it"),
        ({"identities": [identity(session_key="secret")]}, "session_key", "check its spelling"),
        ({"identities": [{"appid": APPID, "openid": OPENID}]}, "unionid", "is missing"),
        (
            {"identities": [identity(logged_in_at="2026-11-24T08:00:00")]},
            "logged_in_at",
            "with a time zone",
        ),
        *(
            ({"identities": [identity(logged_in_at=moment)]}, "logged_in_at", "from 1970 to 9998")
            for moment in (
                "0001-01-01T00:00:00+23:59",
                "9999-12-31T23:59:59-23:59",
                "1969-12-31T23:59:59Z",
            )
        ),
        (
            {"identities": [identity("oOLD"), identity("oNEW")]},
            "identities.1.unionid",
            "report the one that WeChat returned last",
        ),
        ([identity()], "body", "must be an object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_report_that_makes_no_sense_is_refused_whole(
    service: Service, connection: asyncpg.Connection, body: Json, field: str, fix: str
) -> None:
    answer = await service.api("PUT", "identities", json=body)

    assert answer.status_code == 422
    assert field in answer.text
    assert fix in answer.text
    assert await column(connection, "SELECT count(*) FROM openids") == [0]


@pytest.mark.parametrize(("minutes", "status"), [(10, 200), (11, 422)])
async def test_a_login_may_be_ahead_by_what_clocks_differ_and_no_more(
    service: Service, connection: asyncpg.Connection, minutes: int, status: int
) -> None:
    at = service.clock.now() + timedelta(minutes=minutes)
    told = [identity(), identity(openid="oNEXT", logged_in_at=at.isoformat())]

    answer = await service.api("PUT", "identities", json={"identities": told})

    assert answer.status_code == status
    if status == 422:
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == ["body", "identities", 1, "logged_in_at"]
        assert "lies in the future" in problem["msg"]
    assert await column(connection, "SELECT count(*) FROM openids") == [2 if status == 200 else 0]


async def test_a_report_needs_the_admin_token(service: Service) -> None:
    answer = await service.http.put("/api/identities", json={"identities": [identity()]})

    assert answer.status_code == 401


async def test_the_first_unionid_of_an_account_has_all_its_unbound_people_asked_about_at_once(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"bound": False})
    people = [f"oPERSON{number:022d}" for number in range(250)]
    for openid in people:
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        await service.push(event(service.clock, "subscribe", openid=openid))
    await jobs.resolve({"appid": APPID})
    unbound = await column(connection, "SELECT DISTINCT resolve_reason FROM openids")
    wechat.state.accounts[APPID] = ACCOUNT
    service.clock.advance(timedelta(hours=1))

    await service.push(event(service.clock, "subscribe"))
    await jobs.resolve({"appid": APPID})

    assert unbound == ["not_bound"]
    assert await column(connection, "SELECT DISTINCT resolve_state FROM openids") == ["resolved"]
    assert await column(connection, "SELECT count(*) FROM followers WHERE unionid IS NULL") == [0]
    assert len(wechat.calls(BATCHGET)) == 3 + 1 + 3


async def test_a_report_of_an_unbound_account_enqueues_a_job_for_its_people(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"bound": False})
    await service.push(event(service.clock, "subscribe"))
    await jobs.resolve({"appid": APPID})
    await connection.execute("DELETE FROM pgqueuer")
    service.clock.advance(timedelta(hours=1))

    await report(service, identity(openid="oSOMEBODY"))

    assert await column(connection, "SELECT entrypoint FROM pgqueuer") == [RESOLVE]
    assert await column(
        connection, "SELECT resolve_next_at FROM openids WHERE openid = $1", OPENID
    ) == [service.clock.now()]


async def test_where_no_mini_program_is_listed_any_may_report(
    settings: Settings, clock: WorldClock
) -> None:
    settings = settings.model_copy(update={"mini_program_appids": ()})
    async with running(settings, clock) as service:
        answer = await service.api(
            "PUT", "identities", json={"identities": [identity(appid="wx00000000000000ff")]}
        )

    assert (answer.status_code, answer.json()["received"]) == (200, 1)

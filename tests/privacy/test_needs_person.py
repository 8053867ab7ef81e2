"""Privacy events of which it is not known whom they are about: a person deals with them."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.privacy.sweep import sweep
from app.settings import MessageMode
from app.worker import Jobs
from simulator.accounts import Mode
from tests.privacy.makers import work
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    Json,
    Service,
    WorldClock,
    column,
    event,
    message,
    running,
    settings_for,
)

CANCELLED, REVOKED, MODIFIED = (
    "user_authorization_cancellation",
    "user_authorization_revoke",
    "user_info_modified",
)
PLUGIN = {"OpenPID": "oPLUGIN-USER", "PluginID": "wxplugin"}


def unnamed(clock: WorldClock, name: str = CANCELLED, **members: object) -> Json:
    return event(clock, name, openid="oPLATFORM", **members)


@pytest.mark.parametrize("name", [CANCELLED, REVOKED, MODIFIED])
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "no_openid"),
        ({"OpenID": ""}, "no_openid"),
        ({"OpenID": ["oONE", "oTWO"]}, "no_openid"),
        ({"OpenID": "o" * 129}, "no_openid"),
        (PLUGIN, "open_pid"),
        ({"OpenID": " ", **PLUGIN}, "open_pid"),
    ],
)
async def test_who_is_not_named_needs_a_person_and_everybody_is_told(
    service: Service, clock: WorldClock, name: str, members: Json, reason: str
) -> None:
    with capture_logs() as logged:
        answer = await service.push(unnamed(clock, name, **members))

    assert answer.content == b"success"
    [listed] = (await service.read("erasures", needs_person="true"))["items"]
    assert (listed["trigger"], listed["needs_person"]) == (name, reason)
    assert (listed["finished_at"], listed["scope"]) == (None, None)
    push = await service.read(f"callbacks/{listed['id']}")
    assert push["event"] == name
    [line] = [line for line in logged if line["event"] == "privacy.needs_person"]
    assert (line["erasure_id"], line["appid"], line["reason"]) == (listed["id"], APPID, reason)
    ready = (await service.look("/readyz")).json()["parts"]["erasures"]
    assert ready["status"] == "degraded"
    assert ready["detail"] == "1 need a person: see GET /api/erasures?needs_person=true"
    metrics = (await service.look("/metrics")).text.splitlines()
    assert "oa_bridge_erasures_needing_a_person 1.0" in metrics


async def test_no_worker_takes_it_for_done(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.push(message(clock))
    await service.push(unnamed(clock))
    clock.advance(timedelta(minutes=2))

    await sweep(jobs.eraser)
    await work(jobs, connection)

    assert await column(connection, "SELECT finished_at FROM erasures") == [None]
    assert len(await column(connection, "SELECT 1 FROM openids WHERE openid = $1", OPENID)) == 1


async def test_it_is_closed_by_whoever_has_dealt_with_it(
    service: Service, clock: WorldClock
) -> None:
    await service.push(unnamed(clock))
    [listed] = (await service.read("erasures", needs_person="true"))["items"]

    closed = await service.api("POST", f"erasures/{listed['id']}/close")
    again = await service.api("POST", f"erasures/{listed['id']}/close")

    assert (closed.status_code, again.json()) == (200, closed.json())
    assert closed.json()["finished_at"] is not None
    assert closed.json()["closed_by"]
    assert (await service.read("erasures", needs_person="true"))["items"] == []
    assert [one["id"] for one in (await service.read("erasures"))["items"]] == [listed["id"]]
    [entry] = (await service.read("audit"))["items"]
    assert (entry["action"], entry["subject_kind"]) == ("erasure.closed", "erasure")
    assert (entry["subject_id"], entry["actor_name"]) == (listed["id"], closed.json()["closed_by"])
    assert (await service.look("/readyz")).json()["parts"]["erasures"]["status"] == "ok"


async def test_an_erasure_that_a_worker_finishes_is_not_closed_by_hand(
    service: Service, clock: WorldClock
) -> None:
    await service.push(unnamed(clock, OpenID=OPENID, AppID=APPID))
    [listed] = (await service.read("erasures"))["items"]

    answer = await service.api("POST", f"erasures/{listed['id']}/close")
    unknown = await service.api("POST", f"erasures/{APPID}/close")

    assert (answer.status_code, unknown.status_code) == (409, 422)
    assert (await service.read(f"erasures/{listed['id']}"))["finished_at"] is None
    assert (await service.read("erasures", needs_person="true"))["items"] == []


async def test_erasures_are_listed_in_pages(service: Service, clock: WorldClock) -> None:
    for number in range(3):
        await service.push(unnamed(clock, OpenID=f"oPERSON-{number}"))

    first = await service.read("erasures", limit=2)
    second = await service.read("erasures", limit=2, before=first["next"])

    ids = [one["id"] for one in (*first["items"], *second["items"])]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), second["next"]) == (3, None)


async def test_a_unionid_alone_needs_a_person_where_anybody_may_have_written_it(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    plain = ACCOUNT.model_copy(update={"mode": Mode.PLAIN})
    settings = settings_for(database_url, tmp_path, wechat_message_mode=MessageMode.PLAIN)
    async with running(settings, clock) as service:
        await service.push(unnamed(clock, UnionID="oUNIONID"), account=plain)
        [listed] = (await service.read("erasures", needs_person="true"))["items"]

    assert listed["needs_person"] == "unionid_in_plain_mode"

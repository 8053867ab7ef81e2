"""Whoever acts between a request and its end is a stranger to us all the same, but for that."""

from datetime import timedelta

import asyncpg
import pytest
from starlette.responses import Response

from app.worker import Jobs
from simulator.followers import unionid_of
from tests.privacy.makers import (
    TEXT,
    UNIONID,
    found,
    live,
    live_elsewhere,
    privacy,
    work,
)
from tests.privacy.test_webhooks import later, settings
from tests.service import APPID, OPENID, OTHER_OPENID, Service, column, event, message, rows
from tests.webhooks.conftest import receiver
from tests.webhooks.makers import hook
from tests.webhooks.makers import work as tell
from tests.webhooks.receiver import Receiver

__all__ = ["receiver", "settings"]

SECONDS = timedelta(seconds=5)
KNOWN = """
SELECT openid, unionid, logged_in_at IS NOT NULL AS logged_in FROM openids
WHERE openid <> 'oSOMEBODY-ELSE'
"""


async def report(service: Service, **more: str) -> None:
    told = {"appid": APPID, "openid": OPENID, "unionid": UNIONID} | more
    answer = await service.api("PUT", "identities", json={"identities": [told]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("how", ["request", "wechat"])
async def test_a_message_before_the_job_runs_is_kept_without_a_unionid(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, how: str
) -> None:
    await live(service, connection)
    await live_elsewhere(connection)
    await report(service, logged_in_at=service.clock.now().isoformat())
    await report(service, unionid="oANOTHER")
    await report(service)
    service.clock.advance(SECONDS)
    await ask(service, how)
    service.clock.advance(SECONDS)
    await service.push(message(service.clock, "still here"))
    await service.push(event(service.clock, "SCAN", EventKey="since"))

    await work(jobs, connection)

    for word in (UNIONID, "oANOTHER", "oOLDER-UNIONID"):
        assert await found(connection, word) == {}
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert (await found(connection, "still here")).keys() == {"callbacks"}
    assert await rows(connection, KNOWN) == [
        {"openid": OPENID, "unionid": None, "logged_in": False}
    ]
    assert await column(connection, "SELECT count(*) FROM identity_events") == [0]
    assert await column(
        connection, "SELECT scene FROM follow_events WHERE openid = $1", OPENID
    ) == ["since"]


async def ask(service: Service, how: str) -> None:
    """Ask for the erasure: an operator, or WeChat."""
    if how == "request":
        await service.api("DELETE", f"users/{UNIONID}")
    else:
        await service.push(privacy(service, "user_authorization_cancellation", UnionID=UNIONID))


async def test_later_events_get_the_unionid_that_wechat_returns_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await ask(service, "request")
    service.clock.advance(SECONDS)
    await service.push(event(service.clock, "SCAN", EventKey="since"))
    await work(jobs, connection)

    await jobs.resolve({"appid": APPID})

    assert await column(connection, "SELECT unionid FROM openids WHERE openid = $1", OPENID) == [
        unionid_of(OPENID)
    ]
    assert await column(
        connection, "SELECT unionid FROM follow_events WHERE openid = $1", OPENID
    ) == [unionid_of(OPENID)]


async def test_a_person_who_acts_before_the_webhooks_are_notified_loses_the_earlier_unionid(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await hook(service, receiver)
    receiver.always = Response(status_code=503)
    service.clock.advance(SECONDS)
    opened = (await service.api("DELETE", f"users/{UNIONID}")).json()
    await tell(jobs, connection)
    await work(jobs, connection)
    await later(service, jobs, connection, timedelta(hours=2))
    await service.push(message(service.clock, "hello"))
    await later(service, jobs, connection, timedelta(hours=23))

    certificate = await service.read(f"erasures/{opened['id']}")

    assert (certificate["scope"], len(certificate["erased"])) == ("person", 1)
    assert certificate["finished_at"] is not None
    assert await found(connection, UNIONID) == {}
    assert (await found(connection, "hello")).keys() == {"callbacks"}


async def test_a_login_after_the_request_reports_the_unionid_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await ask(service, "request")
    service.clock.advance(SECONDS)
    await report(service, logged_in_at=service.clock.now().isoformat())

    await work(jobs, connection)

    assert await rows(connection, KNOWN) == [
        {"openid": OPENID, "unionid": UNIONID, "logged_in": True}
    ]
    assert await column(connection, "SELECT count(*) FROM identity_events") == [0]


async def test_a_person_who_appeared_after_the_request_is_not_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await ask(service, "request")
    service.clock.advance(SECONDS)
    await service.push(event(service.clock, "subscribe", openid=OTHER_OPENID))
    await report(service, openid=OTHER_OPENID, logged_in_at=service.clock.now().isoformat())

    await work(jobs, connection)

    (certificate,) = await column(connection, "SELECT jsonb_array_length(erased) FROM erasures")
    assert certificate == 1
    assert await found(connection, OPENID) == {}
    assert await rows(connection, KNOWN) == [
        {"openid": OTHER_OPENID, "unionid": UNIONID, "logged_in": True}
    ]

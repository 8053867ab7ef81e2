"""Every attempt to send a reply is kept: when, by which worker, and what WeChat said."""

import os
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from app.db.engine import Database
from app.replies import erase
from app.replies.errors import TryLater
from app.tombstones.subject import ErasureSubject
from app.worker import Jobs
from tests.replies.makers import deliver, owed
from tests.service import (
    APPID,
    OPENID,
    SEND,
    Json,
    Service,
    WeChat,
    card,
    column,
    of_answers,
    rows,
    text_reply,
)

DIED = "UPDATE replies SET status = 'sending', attempts = attempts + 1"
BEGUN = """
INSERT INTO reply_attempts (reply_id, number, began_at, worker)
SELECT id, attempts, now(), 'other/1' FROM replies
"""


async def only_reply(service: Service, connection: asyncpg.Connection, **query: str) -> Json:
    """Return the only reply, as the API shows it."""
    (reply_id,) = await column(connection, of_answers("SELECT id FROM answers"))
    return await service.read(f"replies/{reply_id}", **query)


async def refused_once(service: Service, wechat: WeChat, jobs: Jobs) -> None:
    """Send a card at the second attempt."""
    callback = await owed(service, wechat, card())
    wechat.strike(SEND, errcode=-1, count=1)
    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    service.clock.advance(timedelta(seconds=2))
    await deliver(jobs, callback)


async def test_each_attempt_is_shown_with_its_result(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    began = service.clock.now()

    await refused_once(service, wechat, jobs)

    shown = await only_reply(service, connection)
    second, first = shown["attempts_made"]
    assert (shown["status"], shown["attempts"]) == ("sent", 2)
    assert (second["number"], second["status"], second["errcode"]) == (2, "sent", None)
    assert (first["number"], first["status"], first["errcode"]) == (1, "pending", -1)
    assert first["meaning"]
    assert first["fix"]
    assert first["rid"]
    assert first["worker"].endswith(f"/{os.getpid()}")
    times = [first["began_at"], first["ended_at"], second["began_at"], second["ended_at"]]
    assert None not in times
    assert times == sorted(times)
    assert times[0] == began.isoformat().replace("+00:00", "Z")
    chinese = await only_reply(service, connection, language="zh")
    assert chinese["attempts_made"][1]["meaning"] != first["meaning"]


async def test_an_attempt_whose_worker_died_never_ends(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    await connection.execute(DIED)
    await connection.execute(BEGUN)

    await deliver(replace(jobs, delivery=replace(jobs.delivery, takeover_seconds=0)), callback)

    second, first = (await only_reply(service, connection))["attempts_made"]
    assert (second["status"], first["status"]) == ("sent", None)
    assert (first["worker"], first["ended_at"]) == ("other/1", None)


async def test_a_passive_reply_has_none_and_an_unknown_one_is_not_found(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, text_reply("hello"))

    shown = await only_reply(service, connection)

    assert (shown["via"], shown["attempts_made"]) == ("passive", [])
    assert (await service.api("GET", f"replies/{uuid4()}")).status_code == 404
    assert (await service.api("GET", "replies/x")).status_code == 422


@pytest.mark.parametrize("of_identity", [False, True])
async def test_an_erasure_takes_what_wechat_said(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    database: Database,
    connection: asyncpg.Connection,
    of_identity: bool,
) -> None:
    await refused_once(service, wechat, jobs)
    person = ErasureSubject(APPID, OPENID, service.clock.now(), uuid4(), "pseudonym", {})

    async with database.sessions.begin() as session:
        work = erase.erase_identity if of_identity else erase.erase_contents
        assert await work(session, person, 10) == 1

    said = await rows(connection, "SELECT errcode, errmsg, rid FROM reply_attempts ORDER BY number")
    assert [tuple(row.values()) for row in said] == [(-1, None, None), (None, None, None)]


async def test_they_are_kept_as_long_as_contents(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    await refused_once(service, wechat, jobs)
    before = service.clock.now() + timedelta(minutes=1)

    async with database.sessions.begin() as session:
        assert await erase.erase_older(session, before, 10) == 1

    assert await column(connection, "SELECT count(*) FROM reply_attempts") == [0]

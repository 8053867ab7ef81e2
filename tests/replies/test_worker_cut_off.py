"""A worker whose connections to the database break again and again loses and repeats nothing."""

import asyncio
from collections import Counter
from dataclasses import fields
from typing import ClassVar

import asyncpg

from app.worker import Jobs
from tests.replies.makers import statuses
from tests.replies.test_worker import all_are, working
from tests.service import APPID, SEND, Service, WeChat, card, column, event, message
from tests.waiting import eventually

PEOPLE = 40
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def follows(service: Service, wechat: WeChat, number: int) -> list[str]:
    """Let so many people follow, each of whom gets a card within a minute."""
    await service.add_rule(card(), trigger={"on": "subscribe"})
    people = [f"oPERSON{which:022d}" for which in range(number)]
    for openid in people:
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        wechat.open_window(openid)
        await service.push(event(service.clock, "subscribe", openid=openid))
    return people


async def held(connection: asyncpg.Connection) -> int:
    return int(
        await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE status = 'failed'") or 0
    )


async def test_no_card_is_lost_or_repeated_while_connections_are_cut(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    people = await follows(service, wechat, PEOPLE)
    wechat.strike(SEND, latency_seconds=0.4)
    async with working(jobs):
        for _ in range(16):
            await asyncio.sleep(0.5)
            await connection.execute(CUT)
        await eventually(all_are(connection, "sent"))

    calls = Counter(call["openid"] for call in wechat.calls(SEND))
    assert calls == Counter(people)
    assert await held(connection) == 0
    assert set(await statuses(connection)) == {"sent"}


class Noting(Jobs):
    """Jobs that note whose cards they send, in the order in which they start."""

    started: ClassVar[list[str]] = []

    async def deliver(self, payload: dict[str, str]) -> None:
        self.started.append(payload["callback_id"])
        await super().deliver(payload)


async def test_cards_with_a_short_window_go_first(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card("text"))
    for which in range(60):
        openid = f"oWRITER{which:022d}"
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        wechat.open_window(openid)
        await service.push(message(service.clock, openid=openid))
    followers = await follows(service, wechat, 5)
    short = await column(
        connection, "SELECT callback_id::text FROM replies WHERE openid = ANY($1)", followers
    )

    async with working(Noting(*(getattr(jobs, field.name) for field in fields(jobs)))):
        await eventually(all_are(connection, "sent"))

    assert sorted(Noting.started[:5]) == sorted(short)

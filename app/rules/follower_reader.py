"""Reads the facts about followers: one query serves all callbacks that wait at the same time."""

import asyncio
from collections.abc import Sequence
from typing import Final

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app import tracing
from app.db.engine import UNAVAILABLE_ERRORS, connect
from app.rules.matching.follower_facts import Facts

# WeChat waits 5 s in all, and the rest of the time is needed for the commit.
READ_SECONDS: Final = 1.0
MAX_AT_ONCE: Final = 500

_READ: Final = """
SELECT f.following, f.followed_at, o.unionid IS NOT NULL AS unionid_known, fired.ids, fired.times
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS person(appid, openid, number)
LEFT JOIN openids o USING (appid, openid)
LEFT JOIN followers f USING (appid, openid)
LEFT JOIN LATERAL (
    SELECT array_agg(rule_id) AS ids, array_agg(fired_at) AS times FROM rule_firings r
    WHERE r.appid = person.appid AND r.openid = person.openid
) fired ON true
ORDER BY number
"""

_Person = tuple[str, str]

log = structlog.get_logger(__name__)


class FollowerFacts:
    """Reads facts for callbacks; those that wait at the same time share one query.

    Callbacks that arrive while a query is running wait for the next one. There is no timer, so a
    single callback is not delayed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._waiting: list[tuple[_Person, asyncio.Future[Facts | None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def read(self, appid: str, openid: str) -> Facts | None:
        """Return the facts about a follower; None if the database does not answer within 1.0 s."""
        waiting: asyncio.Future[Facts | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((appid, openid), waiting))
        if self._reading is None or self._reading.done():
            loop = asyncio.get_running_loop()
            # It reads for other pushes as well, so it has not the id of this one.
            self._reading = loop.create_task(self._read_all(), context=tracing.no_context())
        return await waiting

    def close(self) -> None:
        """Close the connection; the next read opens a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _read_all(self) -> None:
        while self._waiting:
            batch = self._waiting[:MAX_AT_ONCE]
            del self._waiting[:MAX_AT_ONCE]
            found = await self._read([person for person, _ in batch])
            for (_, waiting), facts in zip(batch, found, strict=True):
                if not waiting.done():
                    waiting.set_result(facts)

    async def _read(self, people: Sequence[_Person]) -> Sequence[Facts | None]:
        try:
            async with asyncio.timeout(READ_SECONDS):
                connection = await self._open()
                rows = await connection.fetch(
                    _READ, [appid for appid, _ in people], [openid for _, openid in people]
                )
        except UNAVAILABLE_ERRORS as error:
            log.warning("rules.facts_not_read", error=type(error).__name__)
            # The connection may still wait for an old query, so it is not used again.
            self.close()
            return [None] * len(people)
        return [_facts(row) for row in rows]

    async def _open(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._url, plan_cache_mode="force_generic_plan", enable_seqscan="off", jit="off"
            )
        return self._connection


async def read_facts(session: AsyncSession, appid: str, openid: str) -> Facts:
    """Return the facts about one follower, read over the session's connection."""
    (facts,) = await read_facts_of(session, [(appid, openid)])
    return facts


async def read_facts_of(session: AsyncSession, people: Sequence[_Person]) -> Sequence[Facts]:
    """Return the facts about followers, in their order. people: AppID and OpenID of each."""
    raw = await (await session.connection()).get_raw_connection()
    if raw.driver_connection is None:
        raise RuntimeError("the session's connection is closed")
    rows = await raw.driver_connection.fetch(
        _READ, [appid for appid, _ in people], [openid for _, openid in people]
    )
    return [_facts(row) for row in rows]


def _facts(row: asyncpg.Record) -> Facts:
    return Facts(
        following=row["following"],
        followed_at=row["followed_at"],
        unionid_known=row["unionid_known"],
        fired=dict(zip(row["ids"] or (), row["times"] or (), strict=True)),
    )

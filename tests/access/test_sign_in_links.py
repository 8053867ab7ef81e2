"""A link signs one operator in, once, for a quarter of an hour."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import operators, sign_in_links
from app.access.errors import AccessError
from app.access.sign_in_links import LIFETIME, MAX_LINKS
from app.access.sweep import sweep
from app.db.engine import Database
from tests.access.conftest import ACTOR, NOON, add_operator
from tests.service import WorldClock
from tests.waiting import eventually

MOMENT = timedelta(microseconds=1)
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_a_link_is_good_for_one_sign_in(session: AsyncSession) -> None:
    added = await add_operator(session)
    secret = await sign_in_links.make(session, ACTOR, added, now=NOON)

    taken = await sign_in_links.take(session, secret, now=NOON + LIFETIME - MOMENT)

    assert taken is not None
    assert taken.id == added.id
    assert await sign_in_links.take(session, secret, now=NOON) is None


async def test_a_link_ends_after_a_quarter_of_an_hour(session: AsyncSession) -> None:
    secret = await sign_in_links.make(session, ACTOR, await add_operator(session), now=NOON)

    assert await sign_in_links.take(session, secret, now=NOON + LIFETIME) is None


@pytest.mark.parametrize("secret", ["", "unknown", "\0", "\ud800", "x" * 100_000])
async def test_anything_else_signs_nobody_in(session: AsyncSession, secret: str) -> None:
    await sign_in_links.make(session, ACTOR, await add_operator(session), now=NOON)

    assert await sign_in_links.take(session, secret, now=NOON) is None


async def test_of_two_who_open_a_link_at_once_one_is_signed_in(database: Database) -> None:
    async with database.sessions.begin() as session:
        secret = await sign_in_links.make(session, ACTOR, await add_operator(session), now=NOON)

    async def take() -> bool:
        async with database.sessions.begin() as session:
            return await sign_in_links.take(session, secret, now=NOON) is not None

    assert sorted(await asyncio.gather(*[take() for _ in range(5)])) == [False] * 4 + [True]


async def test_a_link_that_is_opened_while_its_operator_is_disabled_leaves_no_way_in(
    database: Database, connection: asyncpg.Connection
) -> None:
    async with database.sessions.begin() as session:
        added = await add_operator(session)
        secret = await sign_in_links.make(session, ACTOR, added, now=NOON)
    disabled, may_commit = asyncio.Event(), asyncio.Event()

    async def disable() -> None:
        async with database.sessions.begin() as session:
            await operators.disable(session, ACTOR, added.id, now=NOON)
            disabled.set()
            await may_commit.wait()

    async def take() -> bool:
        await disabled.wait()
        async with database.sessions.begin() as session:
            return await sign_in_links.take(session, secret, now=NOON) is not None

    async def waits() -> bool:
        return bool(await connection.fetchval(WAITING))

    disabling, taking = asyncio.create_task(disable()), asyncio.create_task(take())
    await eventually(waits, "the link's transaction to wait for the other")
    may_commit.set()

    await disabling
    assert await taking is False


async def test_the_database_holds_no_link(session: AsyncSession) -> None:
    secret = await sign_in_links.make(session, ACTOR, await add_operator(session), now=NOON)

    for table in ("sign_in_links", "audit_log"):
        rows = await session.execute(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
        assert secret not in str(rows.all())
        assert secret.encode().hex() not in str(rows.all())


async def test_an_operator_has_few_links_at_once(session: AsyncSession) -> None:
    added = await add_operator(session)
    for _ in range(MAX_LINKS):
        await sign_in_links.make(session, ACTOR, added, now=NOON)

    with pytest.raises(AccessError, match="wait 15 minutes"):
        await sign_in_links.make(session, ACTOR, added, now=NOON)
    await sign_in_links.make(session, ACTOR, added, now=NOON + LIFETIME)


def test_the_address_leads_to_the_console() -> None:
    assert (
        sign_in_links.link_of("https://oa.example.com/", "abc")
        == "https://oa.example.com/console/sign-in/abc"
    )


async def test_expired_links_are_deleted(database: Database) -> None:
    clock = WorldClock()
    async with database.sessions.begin() as session:
        added = await add_operator(session)
        await sign_in_links.make(session, ACTOR, added, now=clock.now() - LIFETIME)
        kept = await sign_in_links.make(session, ACTOR, added, now=clock.now())

    await sweep(database.sessions, clock)

    async with database.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM sign_in_links")) == 1
        assert await sign_in_links.take(session, kept, now=clock.now()) is not None

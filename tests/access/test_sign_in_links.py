"""A link signs one operator in, once, for a quarter of an hour."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import operators, sessions, sign_in_links
from app.access.sign_in_links import LIFETIME, MAX_LINKS
from app.access.sweep import sweep
from app.db.engine import Database
from tests.access.conftest import ACTOR, NOON, add_operator
from tests.lock_waits import backend_waits
from tests.service import WorldClock
from tests.waiting import eventually

MOMENT = timedelta(microseconds=1)


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

    disabling, taking = asyncio.create_task(disable()), asyncio.create_task(take())
    await eventually(backend_waits(connection), "the link's transaction to wait for the other")
    may_commit.set()

    await disabling
    assert await taking is False


async def test_an_operator_who_is_disabled_while_signing_in_is_thrown_out_again(
    database: Database, connection: asyncpg.Connection
) -> None:
    async with database.sessions.begin() as session:
        added = await add_operator(session)
        secret = await sign_in_links.make(session, ACTOR, added, now=NOON)
    taken, may_go_on = asyncio.Event(), asyncio.Event()

    async def sign_in() -> str:
        async with database.sessions.begin() as session:
            operator = await sign_in_links.take(session, secret, now=NOON)
            assert operator is not None
            taken.set()
            await may_go_on.wait()
            return await sessions.start(session, operator, address=None, user_agent=None, now=NOON)

    async def disable() -> None:
        await taken.wait()
        async with database.sessions.begin() as session:
            await operators.disable(session, ACTOR, added.id, now=NOON)

    signing_in, disabling = asyncio.create_task(sign_in()), asyncio.create_task(disable())
    await eventually(backend_waits(connection), "the disabling to wait for the sign-in")
    may_go_on.set()
    cookie = await signing_in
    await disabling

    async with database.sessions() as session:
        assert await sessions.find(session, cookie, now=NOON) is None


async def test_the_database_holds_no_link(session: AsyncSession) -> None:
    secret = await sign_in_links.make(session, ACTOR, await add_operator(session), now=NOON)

    for table in ("sign_in_links", "audit_log"):
        rows = await session.execute(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
        assert secret not in str(rows.all())
        assert secret.encode().hex() not in str(rows.all())


async def test_of_many_links_the_newest_ones_stay(session: AsyncSession) -> None:
    added, other = await add_operator(session), await add_operator(session, "小李")
    others = await sign_in_links.make(session, ACTOR, other, now=NOON)
    made = [
        await sign_in_links.make(session, ACTOR, added, now=NOON + MOMENT * number)
        for number in range(MAX_LINKS + 2)
    ]

    good = [await sign_in_links.take(session, secret, now=NOON) is not None for secret in made]
    assert good == [False] * 2 + [True] * MAX_LINKS
    assert await sign_in_links.take(session, others, now=NOON) is not None


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

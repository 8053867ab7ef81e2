"""Signing in: one answer for all that is wrong, and limits that lock nobody out."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import operators, sessions, sign_in_links
from app.access.sign_in import Accepted, Refused, sign_in
from app.access.sign_in_links import LIFETIME
from app.access.sign_in_throttle import MAX_BY_ADDRESS, MAX_BY_LINK, WINDOW
from app.access.sweep import sweep
from app.db.engine import Database
from tests.access.conftest import ACTOR, NOON, add_operator
from tests.service import WorldClock

ADDRESS = "192.0.2.7"


async def attempt(
    session: AsyncSession, secret: str, address: str | None = ADDRESS, now: datetime = NOON
) -> Accepted | Refused:
    return await sign_in(session, secret, address=address, user_agent="Firefox", now=now)


async def wait(session: AsyncSession, secret: str, address: str = ADDRESS) -> timedelta | None:
    refused = await attempt(session, secret, address)
    assert isinstance(refused, Refused)
    return refused.wait


async def new_link(session: AsyncSession) -> str:
    return await sign_in_links.make(session, ACTOR, await add_operator(session), now=NOON)


async def test_a_link_starts_a_session(session: AsyncSession) -> None:
    accepted = await attempt(session, await new_link(session))

    assert isinstance(accepted, Accepted)
    signed_in = await sessions.find(session, accepted.secret, now=NOON)
    assert signed_in is not None
    assert signed_in.operator_id == accepted.operator.id


@pytest.mark.parametrize("why", ["unknown", "used", "expired", "disabled"])
async def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    session: AsyncSession, database: Database, why: str
) -> None:
    operator = await add_operator(session)
    secret = await sign_in_links.make(session, ACTOR, operator, now=NOON)
    if why == "used":
        await attempt(session, secret)
    if why == "disabled":
        # As if the link had been left there.
        await session.execute(text("UPDATE operators SET disabled_at = :now"), {"now": NOON})
    given = "unknown" if why == "unknown" else secret
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]).split()[0])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    now = NOON + LIFETIME if why == "expired" else NOON
    refused = await attempt(session, given, now=now)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)

    assert refused == Refused(None)
    assert seen == ["SELECT", "DELETE", "INSERT", "INSERT"]


async def test_an_address_with_too_many_failures_is_told_to_wait(session: AsyncSession) -> None:
    for number in range(MAX_BY_ADDRESS):
        assert await wait(session, f"wrong {number}") is None

    assert await wait(session, "wrong") == WINDOW
    assert await wait(session, "wrong", "192.0.2.8") is None
    # All addresses of one network count as one.
    assert await wait(session, "wrong", f"::ffff:{ADDRESS}") == WINDOW
    later = await attempt(session, "wrong", now=NOON + WINDOW)
    assert later == Refused(None)


async def test_a_link_that_is_tried_too_often_is_told_to_wait(session: AsyncSession) -> None:
    for number in range(MAX_BY_LINK):
        assert await wait(session, "wrong", f"192.0.2.{number}") is None

    assert await wait(session, "wrong", "192.0.2.99") == WINDOW
    assert await wait(session, "other", "192.0.2.99") is None


async def test_nobody_is_locked_out_by_the_failures_of_others(session: AsyncSession) -> None:
    secret = await new_link(session)
    for number in range(MAX_BY_ADDRESS + 1):
        await attempt(session, f"wrong {number}")

    assert isinstance(await attempt(session, secret), Accepted)


async def test_an_address_over_its_limit_fills_no_table(session: AsyncSession) -> None:
    for number in range(MAX_BY_ADDRESS + 20):
        await attempt(session, f"wrong {number}")

    rows = await session.scalar(text("SELECT count(*) FROM sign_in_attempts"))
    assert rows == MAX_BY_ADDRESS + 1


async def test_attempts_at_once_are_all_counted(database: Database) -> None:
    async def one() -> None:
        async with database.sessions.begin() as session:
            await attempt(session, "wrong")

    await asyncio.gather(*(one() for _ in range(5)))

    async with database.sessions() as session:
        counts = await session.scalars(text("SELECT count FROM sign_in_attempts"))
        assert counts.all() == [5, 5]


@pytest.mark.parametrize("secret", ["\0", "\ud800", "x" * 100_000])
@pytest.mark.parametrize("address", [None, "", "no address"])
async def test_anything_may_be_tried(
    session: AsyncSession, secret: str, address: str | None
) -> None:
    assert await attempt(session, secret, address) == Refused(None)


async def test_old_counts_are_deleted(database: Database) -> None:
    clock = WorldClock()
    async with database.sessions.begin() as session:
        await attempt(session, "old", "192.0.2.1", clock.now() - WINDOW)
        await attempt(session, "new", "192.0.2.2", clock.now())

    await sweep(database.sessions, clock)

    async with database.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM sign_in_attempts")) == 2


async def test_who_is_disabled_can_not_sign_in(session: AsyncSession) -> None:
    operator = await add_operator(session)
    secret = await sign_in_links.make(session, ACTOR, operator, now=NOON)
    await operators.disable(session, ACTOR, operator.id, now=NOON)

    assert await attempt(session, secret) == Refused(None)

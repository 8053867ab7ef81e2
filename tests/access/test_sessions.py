"""Sessions end by themselves and by decision, and hold no secret."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit, operators, sessions
from app.access.actor import Actor, ActorKind
from app.access.audit import AuditFilter
from app.access.models import Operator
from app.access.roles import Role
from app.access.sessions import (
    MAX_AGE,
    MAX_IDLE,
    MAX_USER_AGENT_CHARACTERS,
    TOUCH_AFTER,
    SignedIn,
)
from app.access.sweep import sweep
from app.db.engine import Database
from tests.access.conftest import ACTOR, NOON, add_operator
from tests.service import WorldClock

MOMENT = timedelta(microseconds=1)
ADDRESS = "192.0.2.7"


async def start(session: AsyncSession, operator: Operator, user_agent: str = "Firefox") -> str:
    return await sessions.start(session, operator, address=ADDRESS, user_agent=user_agent, now=NOON)


async def found(session: AsyncSession, secret: str) -> SignedIn:
    signed_in = await sessions.find(session, secret, now=NOON)
    assert signed_in is not None
    return signed_in


async def test_a_session_says_who_is_signed_in(session: AsyncSession) -> None:
    secret = await start(session, await add_operator(session))

    signed_in = await found(session, secret)

    assert (signed_in.name, signed_in.role, signed_in.language) == ("小王", Role.EDITOR, None)
    assert signed_in.actor(ADDRESS) == Actor(ActorKind.OPERATOR, "小王", ADDRESS)
    assert await sessions.find(session, "unknown", now=NOON) is None


async def test_each_sign_in_makes_another_secret(session: AsyncSession) -> None:
    operator = await add_operator(session)

    assert await start(session, operator) != await start(session, operator)


async def test_a_changed_role_holds_at_the_next_request(session: AsyncSession) -> None:
    operator = await add_operator(session)
    secret = await start(session, operator)
    await operators.change_role(session, ACTOR, operator.id, Role.VIEWER, now=NOON)

    assert (await found(session, secret)).role is Role.VIEWER


async def test_an_idle_session_ends(session: AsyncSession) -> None:
    secret = await start(session, await add_operator(session))

    assert await sessions.find(session, secret, now=NOON + MAX_IDLE - MOMENT) is not None
    assert await sessions.find(session, secret, now=NOON + MAX_IDLE) is None


async def test_use_keeps_a_session_but_not_for_longer_than_a_week(session: AsyncSession) -> None:
    secret = await start(session, await add_operator(session))
    now = NOON
    while (signed_in := await sessions.find(session, secret, now=now)) is not None:
        await sessions.touch(session, signed_in, now=now)
        now += MAX_IDLE - MOMENT

    assert MAX_AGE <= now - NOON < MAX_AGE + MAX_IDLE
    assert await sessions.find(session, secret, now=NOON + MAX_AGE) is None


async def test_use_is_written_once_a_minute(session: AsyncSession) -> None:
    secret = await start(session, await add_operator(session))
    signed_in = await found(session, secret)

    await sessions.touch(session, signed_in, now=NOON + TOUCH_AFTER - MOMENT)
    assert (await found(session, secret)).seen_at == NOON
    await sessions.touch(session, signed_in, now=NOON + TOUCH_AFTER)
    assert (await found(session, secret)).seen_at == NOON + TOUCH_AFTER
    # What another process read before is no reason to write again.
    await sessions.touch(session, signed_in, now=NOON + TOUCH_AFTER + MOMENT)
    assert (await found(session, secret)).seen_at == NOON + TOUCH_AFTER


async def test_sessions_are_listed_and_revoked(session: AsyncSession) -> None:
    operator, other = await add_operator(session), await add_operator(session, "小李")
    first, second = await start(session, operator), await start(session, other, "Chromium")

    newest, oldest = await sessions.read_all(session, now=NOON)
    assert (oldest.operator, oldest.address, oldest.user_agent) == ("小王", ADDRESS, "Firefox")
    (own,) = await sessions.read_all(session, now=NOON, operator_id=other.id)
    assert own == newest
    assert await sessions.revoke(session, ACTOR, oldest.id, now=NOON)

    assert await sessions.find(session, first, now=NOON) is None
    assert await sessions.find(session, second, now=NOON) is not None
    assert [one.id for one in await sessions.read_all(session, now=NOON)] == [newest.id]
    assert not await sessions.revoke(session, ACTOR, oldest.id, now=NOON)
    rows = (await audit.read(session, AuditFilter(action="session.revoked"))).rows
    assert [(row.subject_id, row.before) for row in rows] == [(str(oldest.id), "小王")]


async def test_signing_out_is_told_from_being_thrown_out(session: AsyncSession) -> None:
    secret = await start(session, await add_operator(session))
    signed_in = await found(session, secret)
    assert await sessions.end(session, signed_in.actor(ADDRESS), signed_in.session_id, now=NOON)

    assert await sessions.find(session, secret, now=NOON) is None
    newest = (await audit.read(session, AuditFilter())).rows[0]
    assert (newest.action, newest.actor_name, newest.address) == ("session.ended", "小王", ADDRESS)


async def test_what_has_ended_is_not_listed(session: AsyncSession) -> None:
    await start(session, await add_operator(session))

    assert await sessions.read_all(session, now=NOON + MAX_IDLE) == []


async def test_a_browsers_name_is_made_short_and_storable(session: AsyncSession) -> None:
    await start(session, await add_operator(session), "a\0\u202eb\ud800" + "x" * 1000)

    (listed,) = await sessions.read_all(session, now=NOON)
    assert listed.user_agent == "ab" + "x" * (MAX_USER_AGENT_CHARACTERS - 2)


async def test_the_database_holds_no_secret_of_a_session(session: AsyncSession) -> None:
    secret = await start(session, await add_operator(session))

    for table in ("sessions", "audit_log"):
        rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).all()  # noqa: S608
        assert secret not in str(rows)
        assert secret.encode().hex() not in str(rows)


async def test_sessions_that_have_ended_are_deleted(database: Database) -> None:
    clock = WorldClock()
    async with database.sessions.begin() as session:
        operator = await add_operator(session)
        for age in (MAX_IDLE, MAX_IDLE - timedelta(seconds=1)):
            await sessions.start(
                session, operator, address=None, user_agent=None, now=clock.now() - age
            )

    await sweep(database.sessions, clock)

    async with database.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM sessions")) == 1

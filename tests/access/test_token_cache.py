"""What a web process knows of the tokens, how old it may be, and what it costs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from app.access import tokens
from app.access.models import ApiToken
from app.access.scopes import ApiScope
from app.access.token_cache import (
    MAX_AGE_SECONDS,
    MAX_STALE_SECONDS,
    RETRY_SECONDS,
    SCOPE_NOTED_AFTER,
    KnownToken,
    TokenCache,
    TokensUnavailable,
)
from app.access.token_text import new_token
from app.access.tokens import USE_NOTED_AFTER
from app.db.engine import Database
from tests.access.conftest import ACTOR
from tests.ops.standins import database_away
from tests.service import WorldClock


class Timer:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> WorldClock:
    return WorldClock()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
async def statements(database: Database) -> AsyncIterator[list[str]]:
    """The statements that the database gets."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def add(database: Database, clock: WorldClock, name: str = "crm") -> str:
    async with database.sessions.begin() as session:
        _, secret = await tokens.add(
            session,
            ACTOR,
            name,
            [ApiScope.RULES_READ],
            [],
            expires_at=clock.now() + timedelta(days=1),
            now=clock.now(),
        )
    return secret


async def found(cache: TokenCache, secret: str) -> KnownToken:
    token = await cache.find(secret)
    assert token is not None
    return token


async def test_many_requests_at_once_are_one_query(
    database: Database, clock: WorldClock, timer: Timer, statements: list[str]
) -> None:
    secret = await add(database, clock)
    statements.clear()
    cache = TokenCache(database.sessions, clock, timer)

    answers = await asyncio.gather(
        *(cache.find(secret) for _ in range(20)), *(cache.find(new_token()) for _ in range(20))
    )
    timer.now = MAX_AGE_SECONDS
    await cache.find(new_token())

    assert [None if one is None else one.name for one in answers] == ["crm"] * 20 + [None] * 20
    assert len(statements) == 1


async def test_what_is_made_and_revoked_elsewhere_is_known_within_seconds(
    database: Database, clock: WorldClock, timer: Timer
) -> None:
    cache = TokenCache(database.sessions, clock, timer)
    assert await cache.is_empty()
    secret = await add(database, clock)
    timer.now += MAX_AGE_SECONDS + 0.001
    assert (await found(cache, secret)).why_invalid(clock.now()) is None
    assert not await cache.is_empty()

    async with database.sessions.begin() as session:
        await tokens.revoke(session, ACTOR, "crm", now=clock.now())
    timer.now += MAX_AGE_SECONDS + 0.001

    reason = (await found(cache, secret)).why_invalid(clock.now())
    assert reason == "The token crm is revoked"


async def test_an_expired_token_is_told_when_it_expired(
    database: Database, clock: WorldClock, timer: Timer
) -> None:
    cache = TokenCache(database.sessions, clock, timer)
    token = await found(cache, await add(database, clock))

    assert token.why_invalid(clock.now() + timedelta(days=1) - timedelta(microseconds=1)) is None
    reason = token.why_invalid(clock.now() + timedelta(days=1))
    assert reason is not None
    assert "expired at" in reason


async def test_use_is_noted_once_a_minute_whatever_was_read_when(
    database: Database, clock: WorldClock, timer: Timer, statements: list[str]
) -> None:
    cache = TokenCache(database.sessions, clock, timer)
    token = await found(cache, await add(database, clock))
    statements.clear()

    for _ in range(5):
        await cache.note_use(token)
    assert len(statements) == 1
    clock.advance(USE_NOTED_AFTER)
    await asyncio.gather(*(cache.note_use(token) for _ in range(5)))
    assert len(statements) == 2

    async with database.sessions() as session:
        assert await session.scalar(text("SELECT last_used_at FROM api_tokens")) == clock.now()


async def test_the_need_of_a_scope_is_noted_once_a_day(
    database: Database, clock: WorldClock, timer: Timer, statements: list[str]
) -> None:
    cache = TokenCache(database.sessions, clock, timer)
    token = await found(cache, await add(database, clock))
    statements.clear()
    for _ in range(5):
        await cache.note_scope(token, ApiScope.RULES_READ)
    in_a_day = len(statements)
    clock.advance(SCOPE_NOTED_AFTER)
    await cache.note_scope(token, ApiScope.RULES_READ)

    assert (in_a_day, len(statements)) == (1, 2)


async def test_a_scope_that_is_not_needed_is_unused(
    database: Database, clock: WorldClock, timer: Timer
) -> None:
    secret, since = await add(database, clock), clock.now() + timedelta(seconds=1)
    cache = TokenCache(database.sessions, clock, timer)

    async def unused() -> Sequence[tuple[str, Sequence[str]]]:
        async with database.sessions() as session:
            return await tokens.unused_scopes(session, since=since, now=clock.now())

    before = await unused()
    clock.advance(timedelta(minutes=1))
    await cache.note_scope(await found(cache, secret), ApiScope.RULES_READ)

    assert (before, await unused()) == ([("crm", ["rules:read"])], [])


async def test_without_the_database_what_was_read_holds_for_a_while(
    database: Database, clock: WorldClock, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await add(database, clock)
    cache = TokenCache(database.sessions, clock, timer)
    await found(cache, secret)
    async with database_away() as away:
        monkeypatch.setattr(cache, "_sessions", away.sessions)
        timer.now = MAX_STALE_SECONDS
        assert await cache.find(secret) is not None
        await cache.note_use(await found(cache, secret))
        timer.now += 0.001
        with pytest.raises(TokensUnavailable):
            await cache.find(secret)
        with pytest.raises(TokensUnavailable):
            await cache.is_empty()

    monkeypatch.setattr(cache, "_sessions", database.sessions)
    timer.now += RETRY_SECONDS
    assert await cache.find(secret) is not None


async def test_a_database_that_fails_is_not_asked_by_every_request(
    clock: WorldClock, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def read_all(_: object) -> list[ApiToken]:
        nonlocal asked
        asked += 1
        raise OSError

    monkeypatch.setattr(tokens, "read_all", read_all)
    async with database_away() as away:
        cache = TokenCache(away.sessions, clock, timer)
        finding = (cache.find(new_token()) for _ in range(5))
        answers = await asyncio.gather(*finding, return_exceptions=True)
    assert [type(one) for one in answers] == [TokensUnavailable] * 5
    assert asked == 1


async def test_a_scope_of_a_later_release_is_left_out(
    database: Database, clock: WorldClock, timer: Timer
) -> None:
    secret = await add(database, clock)
    async with database.sessions.begin() as session:
        await session.execute(text("UPDATE api_tokens SET scopes = '{rules:read,stars:write}'"))

    token = await found(TokenCache(database.sessions, clock, timer), secret)
    assert token.scopes == {ApiScope.RULES_READ}

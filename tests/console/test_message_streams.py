"""Two hundred open live lists on one process: one query a poll, and each gets what arrives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.roles import Role
from app.callback import message_store
from app.callback.message_filter import MessageRow
from app.console import live_list
from app.console.message_pages.feed import MessageFeed
from app.console.open_sessions import OpenSessions
from app.console.session_cookie import LOOPBACK_NAME
from tests.console.browser import serving
from tests.console.operator import session_of
from tests.service import Service, message


async def test_two_hundred_lists_share_each_query(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await session_of(service, "小王", Role.VIEWER, "en")
    starts, polls, queries = 0, 0, 0
    usual_start, usual_poll, usual_query = MessageFeed.start, MessageFeed.poll, message_store.since

    async def start(feed: MessageFeed) -> None:
        nonlocal starts
        starts += 1
        await usual_start(feed)

    async def poll(feed: MessageFeed) -> Sequence[MessageRow]:
        nonlocal polls
        polls += 1
        return await usual_poll(feed)

    async def query(session: AsyncSession, *rest: object) -> Sequence[MessageRow]:
        nonlocal queries
        queries += 1
        return await usual_query(session, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(MessageFeed, "start", start)
    monkeypatch.setattr(MessageFeed, "poll", poll)
    monkeypatch.setattr(message_store, "since", query)
    async with (
        serving(service.app) as origin,
        httpx.AsyncClient(
            base_url=origin,
            cookies={LOOPBACK_NAME: secret},
            timeout=None,  # noqa: S113 - the test ends them
            limits=httpx.Limits(max_connections=None),
        ) as http,
        AsyncExitStack() as stack,
    ):
        lists = []
        for _ in range(live_list.MAX_OPEN):
            stream = http.stream("GET", "/console/messages/stream")
            lists.append((await stack.enter_async_context(stream)).aiter_lines())
        for lines in lists:
            assert await anext(lines) == ": here"
        one_more = await http.get("/console/messages/stream")
        opened = polls
        await service.push(message(service.clock))
        await asyncio.gather(*(until_rows(lines) for lines in lists))
        found = (starts, queries - starts, polls)

    assert one_more.status_code == 503
    started, asked, polled = found
    assert (started, asked) == (1, polled)
    # Each list would have asked once by itself.
    assert polls - opened < live_list.MAX_OPEN


async def test_a_stream_begins_with_what_came_since_the_last_row(service: Service) -> None:
    secret = await session_of(service, "小王", Role.VIEWER, "en")
    database = service.app.state.database
    await service.push(message(service.clock))
    async with database.sessions() as session:
        last = await message_store.newest_id(session)
    # Further away than what is read again.
    service.clock.advance(timedelta(seconds=60))
    await service.push(message(service.clock))
    async with database.sessions() as session:
        newest = await message_store.newest_id(session)
    async with (
        serving(service.app) as origin,
        httpx.AsyncClient(base_url=origin, cookies={LOOPBACK_NAME: secret}, timeout=60) as http,
        http.stream(
            "GET",
            f"/console/messages/stream?after={UUID(int=0)}",
            headers={"Last-Event-ID": str(last)},
        ) as stream,
    ):
        lines = stream.aiter_lines()
        await until_rows(lines)
        name = await anext(lines)
        rows = [line async for line in rows_of(lines)]

    assert name == f"id: {newest}"
    assert [str(newest) in row for row in rows if "data-row" in row] == [True, False]


async def rows_of(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Return the lines of one event."""
    async for line in lines:
        if not line:
            return
        yield line


async def test_a_stream_ends_soon_after_its_session(service: Service) -> None:
    secret = await session_of(service, "小王", Role.VIEWER, "en")
    state = service.app.state
    state.open_sessions = OpenSessions(state.database, state.clock, check_seconds=0)
    async with (
        serving(service.app) as origin,
        httpx.AsyncClient(base_url=origin, cookies={LOOPBACK_NAME: secret}, timeout=60) as http,
        http.stream("GET", "/console/messages/stream") as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == ": here"
        async with state.database.sessions.begin() as session:
            await session.execute(text("DELETE FROM sessions"))
        # It would go on for five minutes, with a comment every quarter of one.
        rest = [line async for line in lines]

    assert rest == [""]


async def until_rows(lines: AsyncIterator[str]) -> None:
    """Read until rows have come."""
    async for line in lines:
        if line == "event: rows":
            return

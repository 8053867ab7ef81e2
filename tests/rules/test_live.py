"""Rules in memory follow the table, whatever happens to the connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from app.db.engine import Database, open_database
from app.ops import readiness
from app.rules import edits, store
from app.rules.engine import Rule, RuleSet, compile_rules
from app.rules.facts import Facts
from app.rules.live import Compile, LiveRules
from app.rules.schemas import RuleIn
from app.wechat.ids import AppId
from tests.rules.makers import APPID, NOON, as_posted, text

PATIENCE_SECONDS = 20


class Watched(LiveRules):
    """Live rules whose every reload can be waited for."""

    def __init__(self, database: Database, compile_set: Compile = compile_rules) -> None:
        super().__init__(database, on_reload=self._note, compile_set=compile_set)
        self.reloads: list[bool] = []
        self._reloaded = asyncio.Event()

    def _note(self, taken_in: bool) -> None:
        self.reloads.append(taken_in)
        self._reloaded.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await self._reloaded.wait()
                self._reloaded.clear()

    async def until_loaded(self) -> None:
        await self.until(lambda: self.current is not None)

    def answers(self, keyword: str) -> bool:
        rules = self.current
        if rules is None:
            return False
        return bool(rules.choose(AppId(APPID), text(keyword), Facts(), NOON))

    async def until_it_answers(self, keyword: str) -> None:
        await self.until(lambda: self.answers(keyword))

    async def until_it_is_silent(self, keyword: str) -> None:
        await self.until(lambda: not self.answers(keyword))


@asynccontextmanager
async def running(live: Watched) -> AsyncIterator[Watched]:
    task = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        await live.stop()
        await task


async def add(database: Database, keyword: str) -> int:
    rule = RuleIn.model_validate(
        as_posted(trigger={"on": "text", "match": "exact", "keyword": keyword})
    )
    async with database.sessions.begin() as session:
        return (await edits.insert(session, rule, "tests")).id


async def test_every_process_is_told_of_a_new_rule(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rules.live.CHECK_SECONDS", 10 * PATIENCE_SECONDS)
    async with running(Watched(database)) as one, running(Watched(database)) as two:
        await one.until_loaded()
        await two.until_loaded()

        await add(database, "商城")

        await one.until_it_answers("商城")
        await two.until_it_answers("商城")


async def test_changed_disabled_and_deleted_rules_are_followed(
    database: Database, connection: asyncpg.Connection
) -> None:
    await add(database, "商城")
    async with running(Watched(database)) as live:
        await live.until_it_answers("商城")

        await connection.execute("UPDATE rules SET enabled = false")
        await live.until_it_is_silent("商城")

        await connection.execute("UPDATE rules SET enabled = true")
        await live.until_it_answers("商城")

        await connection.execute("DELETE FROM rules")
        await live.until_it_is_silent("商城")


async def test_a_change_without_a_notification_is_seen_all_the_same(
    database: Database, connection: asyncpg.Connection
) -> None:
    async with running(Watched(database)) as live:
        await live.until_loaded()
        await connection.execute("ALTER TABLE rules DISABLE TRIGGER ALL")
        await add(database, "商城")

        await connection.execute("UPDATE rules_version SET version = version + 1")

        await live.until_it_answers("商城")


async def test_a_lost_connection_is_opened_again(
    database: Database, connection: asyncpg.Connection
) -> None:
    await add(database, "商城")
    async with running(Watched(database)) as live:
        await live.until_it_answers("商城")

        await connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )
        assert live.answers("商城")
        await add(database, "新店")

        await live.until_it_answers("新店")


async def test_rules_are_read_once_the_database_is_there(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("ALTER TABLE rules_version RENAME TO away")
    async with running(Watched(database)) as live:
        with pytest.raises(ProgrammingError):
            await live.load_once()

        await connection.execute("ALTER TABLE away RENAME TO rules_version")

        await live.until_loaded()


async def test_a_set_that_does_not_compile_leaves_the_old_one_serving(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rules.live.CHECK_SECONDS", 0.001)

    def refuses_three(rules: Iterable[Rule], version: int) -> RuleSet:
        found = tuple(rules)
        if len(found) == 3:
            raise ValueError("three is too many")
        return compile_rules(found, version)

    await add(database, "一")
    async with running(Watched(database, refuses_three)) as live:
        await live.until_it_answers("一")
        await add(database, "二")
        await live.until_it_answers("二")

        await add(database, "三")
        await live.until(lambda: False in live.reloads)
        assert live.answers("二")
        assert not live.answers("三")

        await add(database, "四")
        await live.until_it_answers("四")
    assert live.reloads == [True, True, False, True]


async def test_a_rule_that_breaks_the_compiler_is_left_out_and_shown(database: Database) -> None:
    def breaks_at_the_cafe(rules: Iterable[Rule], version: int) -> RuleSet:
        found = tuple(rules)
        if any(rule.id == cafe for rule in found):
            raise IndexError("string index out of range")
        return compile_rules(found, version)

    await add(database, "商城")
    cafe = await add(database, "咖啡")
    live = Watched(database, breaks_at_the_cafe)

    await live.load_once()

    assert live.answers("商城")
    assert not live.answers("咖啡")
    part = readiness.rules(live.current)
    assert (part.status, str(cafe) in part.detail) == ("degraded", True)


async def test_while_no_newer_set_compiles_the_rules_are_degraded(database: Database) -> None:
    def refuses_two(rules: Iterable[Rule], version: int) -> RuleSet:
        found = tuple(rules)
        if len(found) == 2:
            raise IndexError("string index out of range")
        return compile_rules(found, version)

    await add(database, "一")
    live = Watched(database, refuses_two)
    await live.load_once()
    assert readiness.rules(live.current).status == "ok"
    await add(database, "二")
    await live.load_once()

    assert live.answers("一")
    assert readiness.rules(live.current).status == "degraded"

    await add(database, "三")
    await live.load_once()
    assert readiness.rules(live.current).status == "ok"


async def test_a_row_that_is_no_rule_does_not_take_the_others_down(
    database: Database, connection: asyncpg.Connection
) -> None:
    broken = await add(database, "旧店")
    await connection.execute("UPDATE rules SET replies = '[]' WHERE id = $1", broken)
    await add(database, "商城")
    live = Watched(database)

    await live.load_once()

    assert live.answers("商城")
    assert not live.answers("旧店")
    assert readiness.rules(live.current).status == "degraded"
    async with database.sessions() as session:
        loaded = await store.load_all(session)
    assert [(row.id, row.problem) for row in loaded.broken] == [
        (broken, "replies: is empty: add at least one reply")
    ]


async def test_rules_and_their_version_are_of_one_moment(database: Database) -> None:
    async def edit() -> None:
        for number in range(30):
            await add(database, f"店{number}")

    async with database.sessions() as session:
        start = (await store.load_all(session)).version
    editing = asyncio.create_task(edit())
    while not editing.done():
        async with database.sessions() as session:
            loaded = await store.load_all(session)
        assert loaded.version - start == len(loaded.rules)
    await editing


async def test_load_once_reports_a_database_that_is_away() -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/none")
    live = LiveRules(away)

    with pytest.raises(OSError, match=r"1"):
        await live.load_once()

    assert live.current is None


async def test_stop_before_run_returns_at_once(database: Database) -> None:
    live = Watched(database)

    await live.stop()
    await live.run()

    assert live.current is None


async def test_a_decision_ends_with_the_rules_with_which_it_began(database: Database) -> None:
    await add(database, "商城")
    live = Watched(database)
    await live.load_once()
    assert live.current is not None
    begun = live.current.find(AppId(APPID), text("商城"), NOON)

    async with database.sessions.begin() as session:
        await edits.delete(session, begun.rules[0].id, "tests", expected=None)
    await live.load_once()

    assert not live.answers("商城")
    assert [answer.rule.name for answer in begun.choose(Facts(), NOON)] == ["Shop"]

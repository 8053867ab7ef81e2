"""The rules in memory follow the table, whatever happens to the connection."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from app.db.engine import Database, open_database
from app.ops import readiness
from app.rules import store
from app.rules.definition.schemas import RuleIn
from app.rules.editing import edit
from app.rules.live import LiveRules
from app.rules.matching.compiled_layer import CompiledLayer
from app.rules.matching.follower_facts import Facts
from app.rules.matching.incremental import Compile
from app.rules.matching.rule_set import Rule, RuleSet, compile_rules
from app.wechat.ids import AppId
from tests.rules.conftest import CALLER
from tests.rules.makers import APPID, NOON, as_posted, text
from tests.waiting import PATIENCE_SECONDS


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

    async def until_rebuilt(self, base: CompiledLayer) -> None:
        rules = self.current
        async with asyncio.timeout(PATIENCE_SECONDS):
            while rules is None or rules.base is base:
                assert self._rebuilding is not None
                await self._rebuilding
                rules = self.current

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
        return (await edit.insert(session, rule, CALLER)).id


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
    async def add_many() -> None:
        for number in range(30):
            await add(database, f"店{number}")

    async with database.sessions() as session:
        start = (await store.load_all(session)).version
    editing = asyncio.create_task(add_many())
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
        await edit.delete(session, begun.rules[0].id, CALLER, expected=None)
    await live.load_once()

    assert not live.answers("商城")
    assert [answer.rule.name for answer in begun.choose(Facts(), NOON)] == ["Shop"]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four rules be many."""
    monkeypatch.setattr("app.rules.matching.incremental.FEW_RULES", 3)


async def add_many(database: Database, count: int = 20) -> list[int]:
    return [await add(database, f"词{number}") for number in range(count)]


@pytest.mark.usefixtures("few")
async def test_a_change_among_many_rules_is_all_that_is_read_and_compiled(
    database: Database, connection: asyncpg.Connection
) -> None:
    rule_ids = await add_many(database)
    live = Watched(database)
    await live.load_once()
    assert live.current is not None
    base = live.current.base
    async with database.sessions.begin() as session:
        await edit.delete(session, rule_ids[0], CALLER, expected=None)
    await connection.execute("UPDATE rules SET enabled = false WHERE id = $1", rule_ids[1])
    await connection.execute(
        """UPDATE rules SET trigger = jsonb_set(trigger, '{keyword}', '"新"') WHERE id = $1""",
        rule_ids[2],
    )
    await add(database, "又")

    await live.load_once()

    assert live.current.base is base
    assert sorted(live.current.changes) == [*rule_ids[:3], rule_ids[-1] + 1]
    assert live.current.count == 19
    assert [live.answers(f"词{number}") for number in range(4)] == [False, False, False, True]
    assert live.answers("新")
    assert live.answers("又")


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "unforeseen",
    [
        "UPDATE rules_version SET version = version - 5",
        "UPDATE rules_version SET version = version + 1",
        "DELETE FROM rules_changed",
    ],
)
async def test_where_it_can_not_be_told_what_changed_all_is_read_anew(
    database: Database, connection: asyncpg.Connection, unforeseen: str
) -> None:
    await add_many(database)
    live = Watched(database)
    await live.load_once()
    await connection.execute("ALTER TABLE rules DISABLE TRIGGER ALL")
    await connection.execute("DELETE FROM rules WHERE trigger ->> 'keyword' = '词7'")
    await connection.execute("ALTER TABLE rules ENABLE TRIGGER ALL")
    await add(database, "新")
    await connection.execute(unforeseen)

    await live.load_once()

    assert live.answers("新")
    assert not live.answers("词7")


@pytest.mark.usefixtures("few")
async def test_emptying_the_table_is_followed(
    database: Database, connection: asyncpg.Connection
) -> None:
    await add_many(database)
    async with running(Watched(database)) as live:
        await live.until_it_answers("词7")

        await connection.execute("TRUNCATE rules")

        await live.until_it_is_silent("词7")


@pytest.mark.usefixtures("few")
async def test_a_row_that_becomes_no_rule_is_left_out_until_it_is_one_again(
    database: Database, connection: asyncpg.Connection
) -> None:
    rule_ids = await add_many(database)
    live = Watched(database)
    await live.load_once()
    replies = await connection.fetchval("SELECT replies FROM rules LIMIT 1")

    await connection.execute("UPDATE rules SET replies = '[]' WHERE id = $1", rule_ids[7])
    await live.load_once()
    assert live.current is not None
    assert live.current.left_out == (rule_ids[7],)
    assert not live.answers("词7")
    assert live.answers("词8")

    await connection.execute("UPDATE rules SET replies = $2 WHERE id = $1", rule_ids[7], replies)
    await live.load_once()
    assert not live.current.left_out
    assert live.answers("词7")


@pytest.mark.usefixtures("few")
async def test_while_all_is_compiled_again_changes_are_live_and_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rules.matching.incremental.MAX_CHANGES", 2)
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def waits_when_many(rules: Iterable[Rule], version: int) -> RuleSet:
        found = tuple(rules)
        if len(found) > 20:
            loop.call_soon_threadsafe(begun.set)
            assert go_on.wait(PATIENCE_SECONDS)
        return compile_rules(found, version)

    rule_ids = await add_many(database)
    async with running(Watched(database, waits_when_many)) as live:
        await live.until_it_answers("词19")
        assert live.current is not None
        base = live.current.base
        try:
            for word in ("一", "二", "三"):
                await add(database, word)
            await begun.wait()

            await add(database, "四")
            async with database.sessions.begin() as session:
                await edit.delete(session, rule_ids[7], CALLER, expected=None)
            await live.until_it_answers("四")
            await live.until_it_is_silent("词7")
            assert live.current.base is base
        finally:
            go_on.set()

        await live.until_rebuilt(base)
        assert [live.answers(word) for word in ("三", "四", "词7", "词8")] == [
            True,
            True,
            False,
            True,
        ]
        assert live.current.count == 23


@pytest.mark.usefixtures("few")
async def test_no_decision_under_load_mixes_two_versions(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rules.matching.incremental.MAX_CHANGES", 2)
    rule_ids = await add_many(database)
    await connection.execute(
        """UPDATE rules SET name = '0', trigger = jsonb_set(trigger, '{keyword}', '"同"')
        WHERE id = ANY($1)""",
        rule_ids[:3],
    )
    live = Watched(database, lambda rules, version: compile_rules(rules, version, most=3))
    seen: set[str] = set()

    async def decide() -> None:
        while "40" not in seen:
            if live.current is not None:
                chosen = live.current.choose(AppId(APPID), text("同"), Facts(), NOON)
                names = {choice.rule.name for choice in chosen}
                assert (len(chosen), len(names)) == (3, 1)
                seen.update(names)
            await asyncio.sleep(0)

    async with running(live), asyncio.timeout(PATIENCE_SECONDS):
        await live.until_it_answers("同")
        deciding = asyncio.create_task(decide())
        for number in range(1, 41):
            await connection.execute(
                "UPDATE rules SET name = $2 WHERE id = ANY($1)", rule_ids[:3], str(number)
            )
        await deciding
    assert len(seen) > 1


async def test_what_changed_is_remembered_by_version_and_not_for_ever(
    database: Database, connection: asyncpg.Connection
) -> None:
    first = await add(database, "一")
    second = await add(database, "二")
    await connection.execute("UPDATE rules SET id = 100 WHERE id = $1", first)
    await connection.execute("UPDATE rules SET name = 'x' WHERE id = 99")
    await connection.execute("DELETE FROM rules")

    changed = await connection.fetch("SELECT rule_ids FROM rules_changed ORDER BY version")
    assert [sorted(row["rule_ids"]) for row in changed] == [
        [first],
        [second],
        [first, 100],
        [],
        [second, 100],
    ]

    await connection.execute("UPDATE rules_version SET version = version + 3000")
    third = await add(database, "三")

    assert await connection.fetchval("SELECT array_agg(rule_ids) FROM rules_changed") == [[third]]

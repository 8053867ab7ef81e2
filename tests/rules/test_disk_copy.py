"""A start without the database uses the rules that were served last, and only then."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from app.db.engine import Database, open_database
from app.ops import readiness
from app.rules import disk_copy
from app.rules.definition.schemas import RuleIn
from app.rules.disk_copy import DiskCopy
from app.rules.editing import edit
from app.rules.live import LiveRules
from app.rules.matching.follower_facts import Facts
from app.rules.matching.rule_set import compile_rules
from app.rules.store import rule_of
from app.wechat.ids import AppId
from tests.rules.conftest import CALLER
from tests.rules.makers import APPID, NOON, as_posted, text
from tests.service import WorldClock, message, running, settings_for, text_reply

AWAY = "postgresql://nobody@127.0.0.1:1/none"
RULES = compile_rules(
    [
        rule_of(3, RuleIn.model_validate(as_posted(appid=APPID, priority=7))),
        rule_of(
            4,
            RuleIn.model_validate(
                as_posted(
                    trigger={"on": "text", "match": "regex", "keyword": "^查(.*)$", "not": False},
                    conditions={"from": "2026-01-01T00:00:00+08:00", "cooldown_seconds": 9},
                    utm={"source": "oa"},
                )
            ),
        ),
    ],
    12,
)


async def add(database: Database, keyword: str) -> None:
    trigger = {"on": "text", "match": "contains", "keyword": keyword}
    async with database.sessions.begin() as session:
        await edit.begin(session)
        await edit.insert(session, RuleIn.model_validate(as_posted(trigger=trigger)), CALLER)


def answers(live: LiveRules, keyword: str) -> bool:
    rules = live.current
    assert rules is not None
    return bool(rules.choose(AppId(APPID), text(keyword), Facts(), NOON))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path)
    assert copy.load() is None

    copy.save(RULES, NOON)

    found = copy.load()
    assert found is not None
    assert (found.version, found.saved_at) == (12, NOON)
    assert compile_rules(found.rules, 12).ranked == RULES.ranked
    path = tmp_path / "rules.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    inode = path.stat().st_ino
    copy.save(RULES, NOON + timedelta(days=1))
    assert path.stat().st_ino == inode, "the same version is not written again"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-40],
        lambda content: content[: content.index(b"\n") + 1],
        lambda _: b"",
        lambda _: os.urandom(300),
        lambda content: content.replace(b'"format":1', b'"format":2'),
        lambda content: content.replace(b'"on"', b'"off"'),
        lambda content: content + b"[]\n",
    ],
)
def test_a_damaged_or_later_copy_counts_as_none_and_is_replaced(
    tmp_path: Path, damage: "object"
) -> None:
    copy = DiskCopy(tmp_path)
    copy.save(RULES, NOON)
    path = tmp_path / "rules.jsonl"
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]

    assert copy.load() is None


def test_a_copy_is_bounded_and_a_failure_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = DiskCopy(tmp_path)
    copy.save(RULES, NOON)
    monkeypatch.setattr(disk_copy, "MAX_COPY_BYTES", 700)

    with pytest.raises(OSError, match="too large"):
        copy.save(compile_rules(RULES.ranked, 13), NOON)

    assert json.loads((tmp_path / "rules.jsonl").read_text().splitlines()[0])["version"] == 12
    assert not (tmp_path / "rules.new").exists()
    assert copy.load() is None, "what is larger than the bound is not read either"


async def test_the_copy_serves_until_the_database_is_read(
    database: Database, tmp_path: Path
) -> None:
    await add(database, "商城")
    before = LiveRules(database, copy=DiskCopy(tmp_path))
    await before.load_once()
    await before._save_copy()
    assert before.current is not None
    now = WorldClock()
    now.advance(timedelta(days=365 * 50))

    live = LiveRules(open_database(AWAY), copy=DiskCopy(tmp_path), clock=now)
    with pytest.raises(OSError, match="1"):
        await live.load_once()
    await live.load_copy()

    assert answers(live, "商城")
    part = readiness.rules(live.current, live.copy_age())
    assert part.status == "degraded"
    assert "copy on disk" in part.detail
    # Another database may have the same version with other rules.
    await database_with_other_rule(database)
    live._database = database
    await live._load_if_other(live.current.version if live.current else None)
    assert live.copied_at is None
    assert not answers(live, "商城")
    assert answers(live, "商店")
    await live.load_copy()
    assert answers(live, "商店"), "rules in memory are newer than any copy"


async def database_with_other_rule(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE rules SET trigger = jsonb_set(trigger, '{keyword}', '\"商店\"')"
        )
        await connection.exec_driver_sql("UPDATE rules_version SET version = version - 1")


async def test_a_process_that_starts_without_the_database_answers_passively(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    async with running(settings_for(database_url, tmp_path), clock) as service:
        await service.add_rule(text_reply("hello"))

    async with running(settings_for(AWAY, tmp_path), clock) as service:
        answer = await service.answer(message(clock, "shop"))
        state = (await service.look("/readyz")).json()

    assert (answer.reply or {})["Content"] == "hello"
    assert "from the copy on disk" in state["parts"]["rules"]["detail"]
    assert state["status"] == "degraded"

"""The audit log: what it holds, how it is read, and that nobody rewrites it."""

import ast
import importlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit, retention
from app.access.actions import Action
from app.access.actor import Actor, ActorKind, Subject, SubjectKind
from app.access.audit import MAX_VALUE_CHARACTERS, AuditFilter
from app.db.engine import Database
from tests.access.conftest import NOON
from tests.service import WorldClock
from tests.sql_tables import use_of_module
from tests.test_table_owners import APP, MODELS, TABLES

RULE = Subject(SubjectKind.RULE, "7")
SOMEBODY = Actor(ActorKind.OPERATOR, "小王", "192.0.2.7")
TOKEN = Actor(ActorKind.TOKEN, "crm")


async def add(
    session: AsyncSession,
    actor: Actor = SOMEBODY,
    action: Action = Action.RULE_CHANGED,
    subject: Subject = RULE,
    minutes: int = 0,
) -> None:
    now = NOON + timedelta(minutes=minutes)
    await audit.record(session, actor, action, subject, now=now, before=1, after=2)


async def test_an_entry_says_who_did_what_to_what(session: AsyncSession) -> None:
    await add(session)

    (row,) = (await audit.read(session, AuditFilter())).rows

    assert (row.actor_kind, row.actor_name, row.address) == ("operator", "小王", "192.0.2.7")
    assert (row.action, row.subject_kind, row.subject_id) == ("rule.changed", "rule", "7")
    assert (row.before, row.after, row.count, row.occurred_at) == ("1", "2", None, NOON)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), [3, 2, 1, 0]),
        (AuditFilter(actor_name="小王"), [3, 1, 0]),
        (AuditFilter(actor_kind="token"), [2]),
        (AuditFilter(action="rule.deleted"), [3]),
        (AuditFilter(subject_kind="rule", subject_id="7"), [3, 2, 0]),
        (AuditFilter(subject_kind="webhook"), [1]),
        (AuditFilter(since=NOON + timedelta(minutes=1)), [3, 2, 1]),
        (AuditFilter(until=NOON + timedelta(minutes=1)), [0]),
        (AuditFilter(actor_name="小王", action="rule.deleted", subject_id="8"), []),
    ],
)
async def test_entries_are_found_by_each_side(
    session: AsyncSession, wanted: AuditFilter, found: list[int]
) -> None:
    await add(session, minutes=0)
    await add(session, subject=Subject(SubjectKind.WEBHOOK, "w"), minutes=1)
    await add(session, TOKEN, minutes=2)
    await add(session, action=Action.RULE_DELETED, minutes=3)

    page = await audit.read(session, wanted)

    assert [(row.occurred_at - NOON) // timedelta(minutes=1) for row in page.rows] == found


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5])
async def test_pages_hold_every_entry_once_the_newest_first(
    session: AsyncSession, number: int
) -> None:
    for minutes in range(number):
        await add(session, minutes=minutes)

    ids: list[int] = []
    page = await audit.read(session, AuditFilter(), limit=2)
    ids += [row.id for row in page.rows]
    while page.next is not None:
        # What is added meanwhile belongs to a reading that begins later.
        await add(session, minutes=99)
        page = await audit.read(session, AuditFilter(), cursor=page.next, limit=2)
        ids += [row.id for row in page.rows]

    assert len(ids) == number
    assert ids == sorted(ids, reverse=True)


async def test_a_value_is_bounded(session: AsyncSession) -> None:
    subject = Subject(SubjectKind.RULE, "x" * 1000)
    await audit.record(session, SOMEBODY, Action.RULE_ADDED, subject, now=NOON, after="y" * 1000)

    (row,) = (await audit.read(session, AuditFilter())).rows
    assert row.subject_id == "x" * MAX_VALUE_CHARACTERS
    assert row.after == "y" * MAX_VALUE_CHARACTERS


async def test_an_action_that_this_release_does_not_know_is_shown(session: AsyncSession) -> None:
    await add(session)
    await session.execute(text("UPDATE audit_log SET action = 'menu.published'"))

    (row,) = (await audit.read(session, AuditFilter())).rows
    assert row.action == "menu.published"


async def test_old_entries_are_deleted_and_no_others(database: Database) -> None:
    clock, kept_for = WorldClock(), timedelta(days=30)
    async with database.sessions.begin() as session:
        for age in (kept_for + timedelta(seconds=1), kept_for):
            await audit.record(session, SOMEBODY, Action.RULE_ADDED, RULE, now=clock.now() - age)

    await retention.prune(database.sessions, clock, kept_for)

    async with database.sessions() as session:
        rows = (await audit.read(session, AuditFilter())).rows
    assert [row.occurred_at for row in rows] == [clock.now() - kept_for]


def audit_writes(path: Path) -> set[str]:
    """Return the verbs with which a module writes the audit log, in SQL or through the class."""
    source = path.read_text()
    if "audit_log" not in source and "AuditEntry" not in source:  # most modules, at once
        return set()
    if "audit_log" not in use_of_module(source, TABLES, MODELS).writes:
        return set()
    calls = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    return calls & {"insert", "update", "delete", "add", "merge", "text"}


def test_entries_are_only_added_until_retention_deletes_them() -> None:
    written = {
        path.relative_to(APP).as_posix(): verbs
        for path in sorted(APP.rglob("*.py"))
        if (verbs := audit_writes(path))
    }

    assert written == {"access/audit.py": {"insert"}, "access/retention.py": {"delete"}}


def test_a_module_that_rewrites_an_entry_is_seen(tmp_path: Path) -> None:
    importlib.import_module("app.access.models")
    path = tmp_path / "rewrite.py"
    for source, verb in [
        ("from app.access.models import AuditEntry\nupdate(AuditEntry)", "update"),
        ('text("DELETE FROM audit_log")', "text"),
    ]:
        path.write_text(source)
        assert audit_writes(path) == {verb}

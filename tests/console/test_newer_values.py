"""Values that a newer release has stored during a rolling upgrade: no page and no list fails."""

from typing import Final

import asyncpg

from app.access.roles import Role
from app.db.base import Base
from app.db.stored_enum import StoredEnum
from tests.console.crawl import crawl
from tests.console.hostile import fill
from tests.console.operator import Operator, signed_in
from tests.console.pages import with_tokens
from tests.service import ADMIN_TOKEN, Service, column

NEWER: Final = "newer_value"
VISITOR: Final = "visitor"
# Texts that name one of several things, too.
TEXTS: Final = {
    "alarms": ("kind",),
    "alarm_thresholds": ("kind",),
    "audit_log": ("actor_kind", "action", "subject_kind"),
    "chart_notes": ("actor_kind",),
    "replies": ("msgtype",),
    "touches": ("door",),
}
LISTS: Final = {"api_tokens": "scopes", "webhooks": "types"}


async def store_newer(connection: asyncpg.Connection) -> set[str]:
    """Put a value that this release does not know where one of an enum is; return the columns."""
    changed = set()
    for table in Base.metadata.sorted_tables:
        texts = TEXTS.get(table.name, ())
        for one in table.columns:
            if not isinstance(one.type, StoredEnum) and one.name not in texts:
                continue
            where = "name <> $2" if table.name == "operators" else "$2 <> ''"
            if one.primary_key or one.name in texts:  # in one row, for they may be unique
                where += f" AND ctid = (SELECT min(ctid) FROM {table.name})"  # noqa: S608
            done = await connection.execute(
                f"UPDATE {table.name} SET {one.name} = $1 WHERE {where}",  # noqa: S608
                NEWER,
                VISITOR,
            )
            if done != "UPDATE 0":
                changed.add(f"{table.name}.{one.name}")
    for name, values in LISTS.items():
        await connection.execute(
            f"UPDATE {name} SET {values} = array_append({values}, $1)",  # noqa: S608
            NEWER,
        )
    return changed


async def lists_of(service: Service, operator: Operator) -> dict[str, int]:
    """Return the status of each list of the API."""
    found = {}
    for path, methods in service.app.openapi()["paths"].items():
        if "get" in methods and "{" not in path and path.startswith("/api/"):
            headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
            found[path] = (await operator.http.get(path, headers=headers)).status_code
    return found


async def test_neither_a_page_nor_a_list_fails_for_a_value_of_a_newer_release(
    service: Service, connection: asyncpg.Connection
) -> None:
    paths = await fill(service)
    await with_tokens(service)
    async with signed_in(service, Role.OWNER, name=VISITOR) as operator:
        changed = await store_newer(connection)
        answers = await crawl(operator, [*paths.values(), "/messages", "/audit"])
        lists = await lists_of(service, operator)
        replies = await service.read("replies")

    assert {"replies.status", "alarms.kind", "audit_log.action", "openids.resolve_state"} < changed
    statuses = {path: answer.status_code for path, answer in answers.items()} | lists
    assert {path: status for path, status in statuses.items() if status >= 500} == {}
    for path in ("/tags", "/notices", "/alarms", "/operators"):
        assert NEWER in answers[path].text, path
    assert NEWER in {one["status"] for one in replies["items"]}


async def test_an_operator_whose_role_is_not_known_may_do_nothing(
    service: Service, connection: asyncpg.Connection
) -> None:
    async with signed_in(service, Role.OWNER, name=VISITOR) as operator:
        await connection.execute("UPDATE operators SET role = $1", NEWER)
        answers = [await operator.get(path) for path in ("/today", "/rules", "/operators")]

    assert await column(connection, "SELECT role FROM operators") == [NEWER]
    assert {answer.status_code for answer in answers} == {403}

"""A spool that a release before the renaming has left is recorded as that release would."""

from datetime import datetime
from typing import Any

import asyncpg

from app.callback.record import RECORDS
from app.callback.spool import Spool
from app.settings import Settings
from tests.before_renaming import go_to_upgrade, in_order, insert, leave_spool, rows_like, stored
from tests.callback.makers import drained
from tests.service import Json, WorldClock, running
from tests.waiting import eventually

# That release had a row in replies for a passive reply; it stands with its push now.
PASSIVE = """
CREATE VIEW passive AS
SELECT passive_id AS id, id AS callback_id, 'passive' AS via, appid, openid, 'sent' AS status,
       passive AS content, passive_msgtype AS msgtype,
       COALESCE(passive_rule_id, rule_id) AS rule_id, received_at AS created_at,
       received_at AS sent_at
FROM callbacks WHERE passive_id IS NOT NULL
"""
# That release had a row in send_windows for each message; a send makes it now.
WINDOWS = """
CREATE VIEW windows AS
SELECT appid, openid, trigger, opened_at, expires_at, sends_left FROM send_windows
WHERE trigger <> 'message'
UNION ALL
SELECT appid, openid, 'message', messaged_at, messaged_at + interval '47:59', 5 FROM openids
WHERE messaged_at IS NOT NULL
"""
NOT_KEPT = {"position", "attempts", "errcode", "errmsg", "expires_at"}


def as_now(tables: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """Return the rows by table or view, those of passive replies that were sent apart."""
    passive = [
        row for row in tables["replies"] if (row["via"], row["status"]) == ("passive", "sent")
    ]
    kept = [{name: row[name] for name in row if name not in NOT_KEPT} for row in passive]
    rest = [row for row in tables["replies"] if row not in passive]
    windows = tables.pop("send_windows")
    callbacks = [row | {"dedupe_key": with_time(row)} for row in tables["callbacks"]]
    return tables | {"callbacks": callbacks, "replies": rest, "passive": kept, "windows": windows}


def with_time(callback: Json) -> str:
    """Return the dedupe key of a callback as it is now: that release had none with a time."""
    second = int(datetime.fromisoformat(callback["occurred_at"]).timestamp())
    return str(callback["dedupe_key"]).replace("\\x", f"\\x{second:08x}", 1)


async def test_every_spooled_callback_leaves_the_rows_that_the_earlier_release_would_make(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    go_to_upgrade(clock)
    leave_spool(settings.data_dir)
    await insert(connection, "rules", stored("rules.json"))

    async with running(settings, clock) as service:
        await eventually(drained(service.inbox))
        dead_letters = service.inbox.spool_status().dead_letters

    assert dead_letters == 1
    await connection.execute(PASSIVE)
    await connection.execute(WINDOWS)
    for table, expected in as_now(stored("rows.json")).items():
        common = set.intersection(*(set(row) for row in expected))
        found = await rows_like(connection, table, expected)
        assert found == in_order(expected, common), table


async def test_a_dead_letter_of_the_earlier_release_can_be_read(settings: Settings) -> None:
    leave_spool(settings.data_dir)
    spool = Spool(settings.data_dir, limit=1000)

    [letter] = await spool.dead_letters()
    await spool.close()

    assert letter.read().payload == '{"Content": "\\u0000"}'


def test_a_record_has_every_member_that_the_earlier_release_reads() -> None:
    """Both releases may share a spool during an upgrade, and after a way back."""
    schema = RECORDS.json_schema()
    present: dict[str, list[str]] = {}
    collect_members(schema, schema, "", present)

    kept: dict[str, list[str]] = stored("record_members.json")

    assert {path: sorted(present.get(path, [])) for path in kept} == {
        path: sorted(kinds) for path, kinds in kept.items()
    }


def collect_members(schema: Json, node: Json, path: str, found: dict[str, list[str]]) -> None:
    """Add the types, or the values of an enumeration, of each member under `path`."""
    if "$ref" in node:
        definition: Json = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        collect_members(schema, definition, path, found)
    for branch in node.get("anyOf", []):
        collect_members(schema, branch, path, found)
    for name, member in node.get("properties", {}).items():
        collect_members(schema, member, f"{path}.{name}".lstrip("."), found)
    for item in items_of(node):
        collect_members(schema, item, f"{path}[]", found)
    if "enum" in node:
        found.setdefault(path, []).extend(node["enum"])
    elif node.get("type", "object") != "object":
        found.setdefault(path, []).append(str(node.get("format", node["type"])))


def items_of(node: Json) -> list[Any]:
    items = node.get("items")
    return [items] if isinstance(items, dict) else node.get("prefixItems", [])

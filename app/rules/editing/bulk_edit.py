"""Changes many rules at once, a thousand in one statement, and stores a revision for each change.

The caller owns the transaction.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.models import RuleChange

CHUNK: Final = 1000
CHUNK_BYTES: Final = 4 * 1024 * 1024


Report = Callable[[int], None]


class BulkRow(NamedTuple):
    """A rule to store. id: None for a new one. columns: what `edit.columns` returns, as JSON."""

    id: int | None
    columns: bytes


# The rules are passed as one JSON text that the database takes apart, so that the event loop does
# nothing rule by rule. Rows that were changed by hand may have a higher or lower revision than
# their history.
_ADD: Final = text("""
WITH given AS (
    SELECT number, (document ->> 'id')::bigint AS id, document -> 'rule' AS rule
    FROM jsonb_array_elements(CAST(CAST(:rows AS text) AS jsonb)) WITH ORDINALITY
        AS rows (document, number)
), drawn AS (
    SELECT coalesce(id, nextval(pg_get_serial_sequence('rules', 'id'))) AS id, rule
    FROM given ORDER BY number
), added AS (
    INSERT INTO rules
        (id, revision, name, appid, enabled, priority, trigger, conditions, replies, utm)
    SELECT id, coalesce(
        (SELECT max(r.revision) FROM rule_revisions r WHERE r.rule_id = drawn.id), 0) + 1,
        rule ->> 'name', rule ->> 'appid',
        (rule ->> 'enabled')::boolean, (rule ->> 'priority')::bigint, rule -> 'trigger',
        nullif(rule -> 'conditions', 'null'), rule -> 'replies', nullif(rule -> 'utm', 'null')
    FROM drawn
    RETURNING id, revision
), done AS (
    SELECT id, added.revision, drawn.rule FROM added JOIN drawn USING (id)
)
INSERT INTO rule_revisions (rule_id, revision, change, rule, operator)
SELECT id, revision, :change, rule, :operator FROM done
""")
_REPLACE: Final = text("""
WITH given AS (
    SELECT number, (document ->> 'id')::bigint AS id, document -> 'rule' AS rule
    FROM jsonb_array_elements(CAST(CAST(:rows AS text) AS jsonb)) WITH ORDINALITY
        AS rows (document, number)
), done AS (
    UPDATE rules SET revision = greatest(revision, coalesce(
        (SELECT max(r.revision) FROM rule_revisions r WHERE r.rule_id = rules.id), 0)) + 1,
        name = rule ->> 'name', appid = rule ->> 'appid',
        enabled = (rule ->> 'enabled')::boolean, priority = (rule ->> 'priority')::bigint,
        trigger = rule -> 'trigger', conditions = nullif(rule -> 'conditions', 'null'),
        replies = rule -> 'replies', utm = nullif(rule -> 'utm', 'null'), updated_at = now()
    FROM given WHERE rules.id = given.id
    RETURNING rules.id, rules.revision, given.rule
)
INSERT INTO rule_revisions (rule_id, revision, change, rule, operator)
SELECT id, revision, :change, rule, :operator FROM done
""")
_DELETE: Final = text("""
WITH done AS (
    DELETE FROM rules WHERE id = ANY(:ids)
    RETURNING id, greatest(revision, coalesce(
        (SELECT max(r.revision) FROM rule_revisions r WHERE r.rule_id = rules.id), 0
    )) + 1 AS revision,
        jsonb_build_object('name', name, 'appid', appid, 'enabled', enabled,
            'priority', priority, 'trigger', trigger, 'conditions', conditions,
            'replies', replies, 'utm', utm) AS rule
)
INSERT INTO rule_revisions (rule_id, revision, change, rule, operator)
SELECT id, revision, :change, rule, :operator FROM done
""")


async def insert_all(
    session: AsyncSession, rules: Iterable[BulkRow], operator: str, report: Report
) -> None:
    """Add rules. The ids of later rules are above theirs only after `keep_ids_rising`.

    report: is told after each statement how many rules it has added.
    """
    await _execute(session, _ADD, rules, RuleChange.ADDED, operator, report)


async def replace_all(
    session: AsyncSession, rules: Iterable[BulkRow], operator: str, report: Report
) -> None:
    """Replace the rules with these ids. report: as in `insert_all`."""
    await _execute(session, _REPLACE, rules, RuleChange.CHANGED, operator, report)


async def delete_all(session: AsyncSession, ids: Sequence[int], operator: str) -> None:
    """Delete rules; their revisions are kept."""
    if ids:
        bound = {"ids": list(ids), "change": RuleChange.DELETED, "operator": operator}
        await session.execute(_DELETE, bound)


async def _execute(
    session: AsyncSession,
    statement: TextClause,
    rules: Iterable[BulkRow],
    change: RuleChange,
    operator: str,
    report: Report,
) -> None:
    remaining = iter(rules)
    while True:
        count, rows = await asyncio.to_thread(_next_rows, remaining)
        if not count:
            return
        await session.execute(statement, {"rows": rows, "change": change, "operator": operator})
        report(count)


def _next_rows(remaining: Iterator[BulkRow]) -> tuple[int, str]:
    """Return how many rules are next, and these as one JSON text; 0 after the last one."""
    rows: list[bytes] = []
    size = 0
    while len(rows) < CHUNK and size < CHUNK_BYTES and (rule := next(remaining, None)):
        rows.append(b'{"id":%b,"rule":%b}' % (orjson.dumps(rule.id), rule.columns))
        size += len(rule.columns)
    return len(rows), (b"[%b]" % b",".join(rows)).decode()

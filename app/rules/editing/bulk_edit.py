"""Changes many rules at once, a thousand in one statement, and stores a revision for each change.

The caller owns the transaction.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.schemas import RuleIn
from app.rules.editing.edit import columns, keep_ids_rising
from app.rules.models import RuleChange

CHUNK: Final = 1000

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
    session: AsyncSession, rules: Sequence[tuple[int | None, RuleIn]], operator: str
) -> None:
    """Add rules, each with its id, or with None for a new one."""
    await keep_ids_rising(session, max((rule_id or 0 for rule_id, _ in rules), default=0))
    await _execute(session, _ADD, rules, RuleChange.ADDED, operator)


async def replace_all(
    session: AsyncSession, rules: Sequence[tuple[int, RuleIn]], operator: str
) -> None:
    """Replace the rules with these ids."""
    await _execute(session, _REPLACE, rules, RuleChange.CHANGED, operator)


async def delete_all(session: AsyncSession, ids: Sequence[int], operator: str) -> None:
    """Delete rules; their revisions are kept."""
    if ids:
        bound = {"ids": list(ids), "change": RuleChange.DELETED, "operator": operator}
        await session.execute(_DELETE, bound)


async def _execute(
    session: AsyncSession,
    statement: TextClause,
    rules: Sequence[tuple[int | None, RuleIn]] | Sequence[tuple[int, RuleIn]],
    change: RuleChange,
    operator: str,
) -> None:
    for chunk in _chunks(rules):
        rows = await asyncio.to_thread(_encoded, chunk)
        await session.execute(statement, {"rows": rows, "change": change, "operator": operator})


def _chunks(rules: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rules[start : start + CHUNK] for start in range(0, len(rules), CHUNK))


def _encoded(rules: Sequence[tuple[int | None, RuleIn]]) -> str:
    return orjson.dumps(
        [{"id": rule_id, "rule": columns(rule)} for rule_id, rule in rules]
    ).decode()

"""Changes of rules, each with its revision. The caller owns the transaction."""

from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.schemas import RuleIn, RuleOut
from app.rules.models import RuleChange, RuleRevision, RuleRow, RulesVersion

_KEEP_IDS_RISING = text("""
SELECT setval(pg_get_serial_sequence('rules', 'id'), :id)
WHERE :id > (SELECT last_value FROM rules_id_seq)
""")


class NoSuchRule(Exception):
    """There is no rule with this id."""


class Stale(Exception):
    """Somebody else has changed the rule meanwhile. revision: the present one."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"revision {revision}")
        self.revision = revision


async def begin(session: AsyncSession) -> int:
    """Wait for every other change to end, and return the version that the rules are at.

    One order for all: this row first, so that no two changes wait for each other.

    The database raises the version: each statement that changes `rules` fires one of the triggers
    `oa_bridge_rules_changed_insert`, `oa_bridge_rules_changed_update`,
    `oa_bridge_rules_changed_delete` and `oa_bridge_rules_changed_truncate`. Their function
    `oa_bridge_rules_changed` raises `rules_version`, adds the ids of the changed rules to
    `rules_changed` and sends NOTIFY `oa_bridge_rules`.
    """
    version = await session.scalar(select(RulesVersion.version).with_for_update())
    return version or 0


async def version_now(session: AsyncSession) -> int:
    """Return the version that this transaction has brought the rules to: see `begin`."""
    return await session.scalar(select(RulesVersion.version)) or 0


async def insert(session: AsyncSession, rule: RuleIn, operator: str) -> RuleOut:
    """Add a rule."""
    row = RuleRow(**columns(rule))
    session.add(row)
    await session.flush()
    _remember(session, row.id, 1, RuleChange.ADDED, columns(rule), operator)
    return await _stored(session, row)


async def replace(
    session: AsyncSession,
    rule_id: int,
    rule: RuleIn,
    operator: str,
    *,
    expected: frozenset[int] | None,
    change: RuleChange = RuleChange.CHANGED,
) -> RuleOut:
    """Put `rule` in the place of another one.

    expected: revisions one of which must be the present one; None takes any. Raises NoSuchRule,
    Stale.
    """
    row = await _expected(session, rule_id, expected)
    for name, value in columns(rule).items():
        setattr(row, name, value)
    row.revision = await _next_revision(session, rule_id, row.revision)
    row.updated_at = func.now()
    await session.flush()
    _remember(session, rule_id, row.revision, change, columns(rule), operator)
    return await _stored(session, row)


async def revive(
    session: AsyncSession,
    rule_id: int,
    rule: RuleIn,
    operator: str,
    *,
    change: RuleChange = RuleChange.RESTORED,
) -> RuleOut:
    """Bring a rule back under its old id; ids drawn later lie above it."""
    revision = await _next_revision(session, rule_id, 0)
    row = RuleRow(id=rule_id, revision=revision, **columns(rule))
    session.add(row)
    await session.flush()
    _remember(session, rule_id, revision, change, columns(rule), operator)
    await keep_ids_rising(session, rule_id)
    return await _stored(session, row)


async def keep_ids_rising(session: AsyncSession, rule_id: int) -> None:
    """Let ids that are drawn from now on lie above this one."""
    await session.execute(_KEEP_IDS_RISING, {"id": rule_id})


async def delete(
    session: AsyncSession, rule_id: int, operator: str, *, expected: frozenset[int] | None
) -> None:
    """Remove a rule; its revisions stay. Raises NoSuchRule, Stale."""
    row = await _expected(session, rule_id, expected)
    revision = await _next_revision(session, rule_id, row.revision)
    _remember(session, rule_id, revision, RuleChange.DELETED, written(row), operator)
    await session.execute(delete_from(RuleRow).where(RuleRow.id == rule_id))


def columns(rule: RuleIn) -> dict[str, Any]:
    """Return the columns that a rule is stored in."""
    given = rule.model_dump(mode="json", by_alias=True, include=set(RuleIn.model_fields))
    return {"conditions": None, "utm": None, **given}


def written(row: RuleRow) -> dict[str, Any]:
    """Return a row as it was posted, whether or not it is a rule any more."""
    return {name: getattr(row, name) for name in RuleIn.model_fields}


async def _expected(
    session: AsyncSession, rule_id: int, expected: frozenset[int] | None
) -> RuleRow:
    row = await session.get(RuleRow, rule_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise NoSuchRule
    if expected is not None and row.revision not in expected:
        raise Stale(row.revision)
    return row


async def _next_revision(session: AsyncSession, rule_id: int, present: int) -> int:
    """Rows that were written by hand may be ahead of their revisions, or behind."""
    last = await session.scalar(
        select(func.max(RuleRevision.revision)).where(RuleRevision.rule_id == rule_id)
    )
    return max(last or 0, present) + 1


def _remember(
    session: AsyncSession,
    rule_id: int,
    revision: int,
    change: RuleChange,
    rule: dict[str, Any],
    operator: str,
) -> None:
    session.add(
        RuleRevision(
            rule_id=rule_id, revision=revision, change=change, rule=rule, operator=operator
        )
    )


async def _stored(session: AsyncSession, row: RuleRow) -> RuleOut:
    await session.flush()
    await session.refresh(row)
    return RuleOut.model_validate(row, from_attributes=True)

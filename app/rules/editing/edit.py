"""Changes single rules; each change gets a revision and an entry in the audit log.

The caller owns the transaction.
"""

from typing import Any, Final

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.rules.definition.schemas import RuleIn, RuleOut
from app.rules.editing.room import require_room, weight_of
from app.rules.models import RuleChange, RuleRevision, RuleRow, RulesVersion

_KEEP_IDS_RISING = text("""
SELECT setval(pg_get_serial_sequence('rules', 'id'), :id)
WHERE :id > (SELECT last_value FROM rules_id_seq)
""")

_ACTIONS: Final = {
    RuleChange.ADDED: Action.RULE_ADDED,
    RuleChange.CHANGED: Action.RULE_CHANGED,
    RuleChange.RESTORED: Action.RULE_RESTORED,
    RuleChange.DELETED: Action.RULE_DELETED,
}


class NoSuchRule(Exception):
    """No rule has this id."""


class StaleRevision(Exception):
    """The rule has been changed since it was read. revision: the present one."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"revision {revision}")
        self.revision = revision


async def begin(session: AsyncSession) -> int:
    """Wait until no other change is under way, and return the present version of the rules.

    Call it before any change. The database raises the version: each statement that changes `rules`
    fires one of the triggers `oa_bridge_rules_changed_insert`, `oa_bridge_rules_changed_update`,
    `oa_bridge_rules_changed_delete` and `oa_bridge_rules_changed_truncate`. Their function
    `oa_bridge_rules_changed` raises `rules_version`, adds the ids of the changed rules to
    `rules_changed` and sends NOTIFY `oa_bridge_rules`, so that every process loads the change
    (`app.rules.live`).
    """
    # All changes lock this row first, so that no two of them can deadlock.
    version = await session.scalar(select(RulesVersion.version).with_for_update())
    return version or 0


async def version_now(session: AsyncSession) -> int:
    """Return the version that this transaction has brought the rules to: see `begin`."""
    return await session.scalar(select(RulesVersion.version)) or 0


async def insert(session: AsyncSession, rule: RuleIn, actor: Actor) -> RuleOut:
    """Add a rule with a new id. Raises TooManyRules."""
    await require_room(session, weight_of(columns(rule)))
    row = RuleRow(**columns(rule))
    session.add(row)
    await session.flush()
    await _add_revision(session, row.id, None, 1, RuleChange.ADDED, columns(rule), actor)
    return await _stored(session, row)


async def replace(
    session: AsyncSession,
    rule_id: int,
    rule: RuleIn,
    actor: Actor,
    *,
    expected: frozenset[int] | None,
    change: RuleChange = RuleChange.CHANGED,
) -> RuleOut:
    """Replace a rule by `rule`.

    expected: revisions, one of which must be the present one; None: any. change: how the revision
    came about. Raises NoSuchRule, StaleRevision, TooManyRules.
    """
    row = await _locked_row(session, rule_id, expected)
    await require_room(session, weight_of(columns(rule)).minus(weight_of(posted_form(row))))
    for name, value in columns(rule).items():
        setattr(row, name, value)
    before, row.revision = row.revision, await _next_revision(session, rule_id, row.revision)
    row.updated_at = func.now()
    await session.flush()
    await _add_revision(session, rule_id, before, row.revision, change, columns(rule), actor)
    return await _stored(session, row)


async def revive(
    session: AsyncSession,
    rule_id: int,
    rule: RuleIn,
    actor: Actor,
    *,
    change: RuleChange = RuleChange.RESTORED,
) -> RuleOut:
    """Insert a deleted rule again under its old id. Raises TooManyRules."""
    await require_room(session, weight_of(columns(rule)))
    revision = await _next_revision(session, rule_id, 0)
    row = RuleRow(id=rule_id, revision=revision, **columns(rule))
    session.add(row)
    await session.flush()
    await _add_revision(session, rule_id, None, revision, change, columns(rule), actor)
    await keep_ids_rising(session, rule_id)
    return await _stored(session, row)


async def keep_ids_rising(session: AsyncSession, rule_id: int) -> None:
    """Make sure that new ids are greater than this one."""
    await session.execute(_KEEP_IDS_RISING, {"id": rule_id})


async def delete(
    session: AsyncSession, rule_id: int, actor: Actor, *, expected: frozenset[int] | None
) -> None:
    """Delete a rule; its revisions are kept. Raises NoSuchRule, StaleRevision."""
    row = await _locked_row(session, rule_id, expected)
    revision = await _next_revision(session, rule_id, row.revision)
    posted, change = posted_form(row), RuleChange.DELETED
    await _add_revision(session, rule_id, row.revision, revision, change, posted, actor)
    await session.execute(delete_from(RuleRow).where(RuleRow.id == rule_id))


def columns(rule: RuleIn) -> dict[str, Any]:
    """Return the values of the columns in which a rule is stored."""
    given = rule.model_dump(mode="json", by_alias=True, include=set(RuleIn.model_fields))
    return {"conditions": None, "utm": None, **given}


def posted_form(row: RuleRow) -> dict[str, Any]:
    """Return a row in the form in which rules are posted, even if it is not a valid rule."""
    return {name: getattr(row, name) for name in RuleIn.model_fields}


async def _locked_row(
    session: AsyncSession, rule_id: int, expected: frozenset[int] | None
) -> RuleRow:
    row = await session.get(RuleRow, rule_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise NoSuchRule
    if expected is not None and row.revision not in expected:
        raise StaleRevision(row.revision)
    return row


async def _next_revision(session: AsyncSession, rule_id: int, present: int) -> int:
    # Rows that were changed by hand may have a higher or lower revision than their history.
    last = await session.scalar(
        select(func.max(RuleRevision.revision)).where(RuleRevision.rule_id == rule_id)
    )
    return max(last or 0, present) + 1


async def _add_revision(
    session: AsyncSession,
    rule_id: int,
    before: int | None,
    revision: int,
    change: RuleChange,
    rule: dict[str, Any],
    actor: Actor,
) -> None:
    session.add(
        RuleRevision(
            rule_id=rule_id, revision=revision, change=change, rule=rule, operator=actor.name
        )
    )
    subject = Subject(SubjectKind.RULE, str(rule_id))
    await audit.record(session, actor, _ACTIONS[change], subject, before=before, after=revision)


async def _stored(session: AsyncSession, row: RuleRow) -> RuleOut:
    await session.flush()
    await session.refresh(row)
    return RuleOut.model_validate(row, from_attributes=True)

"""Restores an earlier revision of a rule. The caller owns the transaction."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor
from app.rules import store
from app.rules.definition.schemas import RuleOut
from app.rules.editing import edit, revisions
from app.rules.editing.check_sendable import require_sendable
from app.rules.models import RuleChange
from app.settings import Settings


async def restore(
    session: AsyncSession,
    rule_id: int,
    revision: int,
    actor: Actor,
    *,
    settings: Settings,
    expected: Callable[[], frozenset[int] | None],
) -> RuleOut:
    """Change a rule back to `revision`; a deleted rule gets its old id back.

    expected: called only if the rule exists; returns the revisions that `edit.replace` expects.
    Raises NoSuchRevision, NoLongerValid, StaleRevision, and InvalidRequest for a rule that can't
    be used any more.
    """
    rule = await revisions.find(session, rule_id, revision)
    await require_sendable(rule, settings, "rule")
    if await store.get(session, rule_id) is not None:
        return await edit.replace(
            session, rule_id, rule, actor, expected=expected(), change=RuleChange.RESTORED
        )
    return await edit.revive(session, rule_id, rule, actor)

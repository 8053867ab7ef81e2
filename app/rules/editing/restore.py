"""Going back to an earlier state of a rule. The caller owns the transaction."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

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
    operator: str,
    *,
    settings: Settings,
    expected: Callable[[], frozenset[int] | None],
) -> RuleOut:
    """Make a rule what it was at `revision`; a deleted rule comes back.

    expected: asked only for a rule that is there, see `edits.replace`. Raises NoSuchRevision,
    NoLongerARule, Stale, and Refused for what can't be sent any more.
    """
    rule = await revisions.find(session, rule_id, revision)
    await require_sendable([rule], settings, "rule")
    if await store.get(session, rule_id) is not None:
        return await edit.replace(
            session, rule_id, rule, operator, expected=expected(), change=RuleChange.RESTORED
        )
    return await edit.revive(session, rule_id, rule, operator)

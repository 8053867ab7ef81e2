"""Changes rules with the functions of `/api/rules`, which write the audit log as well.

Nothing else in the console changes rules, but for the imports that a worker carries out.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor
from app.rules.definition.schemas import RuleIn, RuleOut
from app.rules.editing import edit, restore
from app.settings import Settings


async def add(session: AsyncSession, rule: RuleIn, actor: Actor) -> RuleOut:
    """Add a rule."""
    await edit.begin(session)
    return await edit.insert(session, rule, actor)


async def replace(
    session: AsyncSession, rule_id: int, rule: RuleIn, actor: Actor, *, revision: int
) -> RuleOut:
    """Replace a rule that is at `revision`. Raises NoSuchRule, StaleRevision."""
    await edit.begin(session)
    return await edit.replace(session, rule_id, rule, actor, expected=frozenset({revision}))


async def delete(session: AsyncSession, rule_id: int, actor: Actor, *, revision: int) -> None:
    """Delete a rule that is at `revision`. Raises NoSuchRule, StaleRevision."""
    await edit.begin(session)
    await edit.delete(session, rule_id, actor, expected=frozenset({revision}))


async def restore_revision(
    session: AsyncSession,
    rule_id: int,
    revision: int,
    actor: Actor,
    *,
    settings: Settings,
    present: int,
) -> RuleOut:
    """Change a rule that is at `present` back to `revision`; a deleted one gets its id back.

    Raises what `restore.restore` raises.
    """
    await edit.begin(session)
    return await restore.restore(
        session,
        rule_id,
        revision,
        actor,
        settings=settings,
        expected=lambda: frozenset({present}),
    )

"""Changes rules with the functions of `/api/rules`, and writes the audit entry of each change.

Nothing else in the console changes rules.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.rules.definition.schemas import RuleIn, RuleOut
from app.rules.editing import edit, restore
from app.rules.importing.import_rules import Import, run_import
from app.rules.importing.imported_rules import ImportedRules
from app.settings import Settings


async def add(session: AsyncSession, rule: RuleIn, actor: Actor, *, now: datetime) -> RuleOut:
    """Add a rule."""
    await edit.begin(session)
    added = await edit.insert(session, rule, actor.name)
    await _record(session, actor, Action.RULE_ADDED, added.id, now, after=added.revision)
    return added


async def replace(
    session: AsyncSession, rule_id: int, rule: RuleIn, actor: Actor, *, revision: int, now: datetime
) -> RuleOut:
    """Replace a rule that is at `revision`. Raises NoSuchRule, StaleRevision."""
    await edit.begin(session)
    changed = await edit.replace(session, rule_id, rule, actor.name, expected=frozenset({revision}))
    await _record(
        session, actor, Action.RULE_CHANGED, rule_id, now, before=revision, after=changed.revision
    )
    return changed


async def delete(
    session: AsyncSession, rule_id: int, actor: Actor, *, revision: int, now: datetime
) -> None:
    """Delete a rule that is at `revision`. Raises NoSuchRule, StaleRevision."""
    await edit.begin(session)
    await edit.delete(session, rule_id, actor.name, expected=frozenset({revision}))
    await _record(session, actor, Action.RULE_DELETED, rule_id, now, before=revision)


async def restore_revision(
    session: AsyncSession,
    rule_id: int,
    revision: int,
    actor: Actor,
    *,
    settings: Settings,
    present: int,
    now: datetime,
) -> RuleOut:
    """Change a rule that is at `present` back to `revision`; a deleted one gets its id back.

    Raises what `restore.restore` raises.
    """
    await edit.begin(session)
    restored = await restore.restore(
        session,
        rule_id,
        revision,
        actor.name,
        settings=settings,
        expected=lambda: frozenset({present}),
    )
    await _record(
        session, actor, Action.RULE_RESTORED, rule_id, now, before=present, after=restored.revision
    )
    return restored


async def import_rules(
    session: AsyncSession,
    rules: ImportedRules,
    actor: Actor,
    *,
    add_only: bool,
    version: int,
    now: datetime,
) -> Import:
    """Import rules into the set that is at `version`. Raises RulesChanged, InvalidRequest."""
    done = await run_import(
        session,
        rules,
        actor.name,
        dry_run=False,
        add_only=add_only,
        expected=frozenset({version}),
    )
    plan = done.plan
    await audit.record(
        session,
        actor,
        Action.RULES_IMPORTED,
        Subject(SubjectKind.RULES, "all"),
        now=now,
        before=version,
        after=await edit.version_now(session),
        count=len(plan.added) + len(plan.changed) + len(plan.removed),
    )
    return done


async def _record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    rule_id: int,
    now: datetime,
    *,
    before: int | None = None,
    after: int | None = None,
) -> None:
    subject = Subject(SubjectKind.RULE, str(rule_id))
    await audit.record(session, actor, action, subject, now=now, before=before, after=after)

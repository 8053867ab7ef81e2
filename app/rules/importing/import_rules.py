"""Carries out an import: compares rules with the stored ones, and applies the difference."""

import asyncio
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.rules.editing import edit
from app.rules.editing.room import TooManyRules, require_room
from app.rules.importing import plan
from app.rules.importing.imported_rules import ImportedRules
from app.rules.importing.plan import Plan
from app.rules.importing.progress import Progress

# Two at once would take twice the memory and time, and the second one would wait for the first.
ONE_AT_A_TIME: Final = asyncio.Semaphore(1)
"""What holds an import, in this process: a document that is posted, or the job of a worker."""


class RulesChanged(Exception):
    """The rules have been changed since the dry run. version: the present one."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


@dataclass(frozen=True, slots=True)
class Import:
    """What was done, or in a dry run would be done. version: of the rules before the import."""

    plan: Plan
    version: int


async def run_import(
    session: AsyncSession,
    rules: ImportedRules,
    actor: Actor,
    *,
    dry_run: bool,
    add_only: bool = False,
    expected: frozenset[int] | None = None,
    progress: Progress | None = None,
) -> Import:
    """Replace all rules by `rules`, or only compare. The caller owns the transaction.

    The rules are forgotten with `Plan.close`. No other change of rules is made until the
    transaction ends. dry_run: nothing is changed. add_only: stored rules are neither changed nor
    removed. The audit log gets one entry with the versions of the rules and the number of changes.
    expected: versions of the rules, one of which must be the present one; None: any. progress: is
    told how far it is.
    Raises RulesChanged, InvalidRequest, and its subclass TooManyRules.
    """
    progress = progress or Progress()
    version = await edit.begin(session)
    if expected is not None and version not in expected:
        raise RulesChanged(version)
    planned = await plan.plan_import(session, rules, progress, add_only=add_only)
    try:
        if add_only:
            await require_room(session, await asyncio.to_thread(plan.added_weight, planned))
    except TooManyRules:
        planned.diffs.close()
        raise
    if not dry_run:
        await plan.apply(session, planned, actor.name, progress)
        await audit.record(
            session,
            actor,
            Action.RULES_IMPORTED,
            Subject(SubjectKind.RULES, "all"),
            before=version,
            after=await edit.version_now(session),
            count=len(planned.added) + len(planned.changed) + len(planned.removed),
        )
    return Import(planned, version)

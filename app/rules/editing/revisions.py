"""Reads the revisions of rules. The caller owns the transaction."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.schemas import RuleIn
from app.rules.definition.validation_errors import describe
from app.rules.editing.schemas import Revision
from app.rules.models import RuleRevision, RuleRow


class NoSuchRevision(Exception):
    """The rule never had this revision."""


class NoLongerValid(Exception):
    """An earlier release accepted the revision, this one does not; str() says why."""


async def history(
    session: AsyncSession, rule_id: int, *, before: int | None, limit: int
) -> list[Revision]:
    """Return up to `limit` revisions of a rule, the newest first; also of a deleted rule.

    before: only revisions older than this one.
    """
    query = (
        select(RuleRevision)
        .where(RuleRevision.rule_id == rule_id)
        .order_by(RuleRevision.revision.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(RuleRevision.revision < before)
    return [Revision.model_validate(row) for row in await session.scalars(query)]


async def as_of(
    session: AsyncSession, rule_ids: Sequence[int], at: datetime
) -> dict[int, RuleRevision]:
    """Return the revision that each of these rules had at a time, by rule; also of deleted rules.

    A process may have used the revision before for a second more, until it knew of the change.
    """
    found = await session.scalars(
        select(RuleRevision)
        .ext(distinct_on(RuleRevision.rule_id))
        .where(RuleRevision.rule_id.in_(rule_ids), RuleRevision.changed_at <= at)
        .order_by(RuleRevision.rule_id, RuleRevision.revision.desc())
    )
    return {row.rule_id: row for row in found}


async def existed(session: AsyncSession, rule_id: int) -> bool:
    """Tell whether a rule exists or once existed."""
    states = select(RuleRevision).where(RuleRevision.rule_id == rule_id)
    rows = select(RuleRow).where(RuleRow.id == rule_id)
    return bool(await session.scalar(select(states.exists() | rows.exists())))


async def find(session: AsyncSession, rule_id: int, revision: int) -> RuleIn:
    """Return a rule as it was at a revision. Raises NoSuchRevision, NoLongerValid."""
    row = await session.get(RuleRevision, (rule_id, revision))
    if row is None:
        raise NoSuchRevision
    try:
        return RuleIn.model_validate(row.rule)
    except ValidationError as error:
        raise NoLongerValid(describe(error)) from None

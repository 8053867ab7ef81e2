"""Reads the list of rules as operators look for them. The caller owns the transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Text, cast, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.schemas import BrokenRule, RuleOut
from app.rules.models import RuleRow
from app.rules.store import out


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A row of the list. name, priority, enabled: also of a row that is not a valid rule."""

    id: int
    name: str
    appid: str | None
    enabled: bool
    priority: int
    rule: RuleOut | BrokenRule


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which rules to list; None: any.

    on: kinds of trigger. match: how a keyword is compared. words: part of the name, of the trigger
    or of the replies, whatever the letter case. appid: also lists the rules for every account.
    """

    on: Collection[str] | None = None
    match: str | None = None
    appid: str | None = None
    enabled: bool | None = None
    words: str | None = None


async def find(
    session: AsyncSession,
    wanted: RuleFilter,
    *,
    after: tuple[int, int] | None = None,
    limit: int,
) -> Sequence[ListedRule]:
    """Return up to `limit` rules, the higher priority first, then by id.

    after: priority and id of the last rule of the page before.
    """
    query = select(RuleRow).order_by(RuleRow.priority.desc(), RuleRow.id).limit(limit)
    if wanted.on is not None:
        query = query.where(RuleRow.trigger["on"].astext.in_(wanted.on))
    if wanted.match is not None:
        query = query.where(RuleRow.trigger["match"].astext == wanted.match)
    if wanted.appid is not None:
        query = query.where(or_(RuleRow.appid == wanted.appid, RuleRow.appid.is_(None)))
    if wanted.enabled is not None:
        query = query.where(RuleRow.enabled == wanted.enabled)
    if wanted.words is not None:
        searched = (RuleRow.name, cast(RuleRow.trigger, Text), cast(RuleRow.replies, Text))
        query = query.where(
            or_(*(column.icontains(wanted.words, autoescape=True) for column in searched))
        )
    if after is not None:
        priority, rule_id = after
        query = query.where(
            tuple_(-cast(RuleRow.priority, BigInteger), RuleRow.id) > (-priority, rule_id)
        )
    return [
        ListedRule(row.id, row.name, row.appid, row.enabled, row.priority, out(row))
        for row in await session.scalars(query)
    ]

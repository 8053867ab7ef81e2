"""Reads the list of rules as operators look for them. The caller owns the transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, Text, any_, cast, or_, select
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


@dataclass(frozen=True, slots=True)
class ListedKey:
    """What the place of a rule in the list follows from, but for its trigger."""

    id: int
    revision: int
    priority: int


async def find_keys(session: AsyncSession, wanted: RuleFilter) -> Sequence[ListedKey]:
    """Return every rule that the filter lets through, in no order."""
    query = select(RuleRow.id, RuleRow.revision, RuleRow.priority)
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
    return [ListedKey(*row) for row in await session.execute(query)]


async def triggers_of(session: AsyncSession, ids: Collection[int]) -> Sequence[Row[Any]]:
    """Return id, revision and trigger as stored of rules."""
    columns = (RuleRow.id, RuleRow.revision, RuleRow.trigger)
    return (await session.execute(select(*columns).where(_is_one_of(ids)))).all()


async def listed(session: AsyncSession, ids: Sequence[int]) -> Sequence[ListedRule]:
    """Return rules in the order of the ids; those that are deleted meanwhile are missing."""
    rows = await session.scalars(select(RuleRow).where(_is_one_of(ids)))
    found = {
        row.id: ListedRule(row.id, row.name, row.appid, row.enabled, row.priority, out(row))
        for row in rows
    }
    return [found[rule_id] for rule_id in ids if rule_id in found]


def _is_one_of(ids: Collection[int]) -> ColumnElement[bool]:
    # One parameter, however many ids there are.
    return RuleRow.id == any_(cast(list(ids), ARRAY(BigInteger)))

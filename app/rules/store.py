"""SQL of the rules table. The caller owns the transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import delete as delete_from
from sqlalchemy import func, select, text, update
from sqlalchemy import insert as insert_into
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.engine import Rule
from app.rules.models import RuleRow
from app.rules.problems import describe
from app.rules.schemas import BrokenRule, RuleIn, RuleOut

# One statement sees one snapshot, so that the version is the version of these rules. The rows
# come as text, so that ten thousand of them are decoded off the event loop.
_ENABLED = text("""
SELECT version, ARRAY(
    SELECT json_build_object('id', id, 'rule', json_build_object(
        'name', name, 'appid', appid, 'enabled', enabled, 'priority', priority,
        'trigger', trigger, 'replies', replies))::text
    FROM rules WHERE enabled ORDER BY id)
FROM rules_version
""")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The enabled rules as of one version, by id. broken: rows that had to be left out.

    by_digest: the same rules by the digest of their row, for the next `load_all`.
    """

    version: int
    by_digest: Mapping[bytes, Rule]
    broken: tuple[BrokenRule, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, by id."""
        return tuple(self.by_digest.values())


async def load_all(
    session: AsyncSession, known: Mapping[bytes, Rule] = MappingProxyType({})
) -> Loaded:
    """Read every enabled rule. known: `by_digest` of the last time, not to be validated again."""
    version, documents = (await session.execute(_ENABLED)).one()
    return await asyncio.to_thread(_read_all, version, documents, known)


async def get(session: AsyncSession, rule_id: int) -> RuleOut | BrokenRule | None:
    """Return one rule, or None if there is none with this id."""
    row = await session.get(RuleRow, rule_id)
    return None if row is None else _out(row)


async def page(
    session: AsyncSession,
    *,
    after: int,
    limit: int,
    appid: str | None = None,
    enabled: bool | None = None,
) -> list[RuleOut | BrokenRule]:
    """Return up to `limit` rules by id, from the first one after `after`.

    appid: only rules of this account alone. enabled: only rules that are, or that are not.
    """
    query = select(RuleRow).where(RuleRow.id > after).order_by(RuleRow.id).limit(limit)
    if appid is not None:
        query = query.where(RuleRow.appid == appid)
    if enabled is not None:
        query = query.where(RuleRow.enabled == enabled)
    return [_out(row) for row in await session.scalars(query)]


async def insert(session: AsyncSession, rule: RuleIn) -> RuleOut:
    """Add a rule."""
    query = insert_into(RuleRow).values(_columns(rule)).returning(RuleRow)
    return _stored(rule, (await session.scalars(query)).one())


async def replace(session: AsyncSession, rule_id: int, rule: RuleIn) -> RuleOut | None:
    """Put `rule` in the place of another one; None if there is none with this id."""
    query = (
        update(RuleRow)
        .where(RuleRow.id == rule_id)
        .values(**_columns(rule), updated_at=func.now())
        .returning(RuleRow)
    )
    row = (await session.scalars(query)).one_or_none()
    return None if row is None else _stored(rule, row)


async def delete(session: AsyncSession, rule_id: int) -> bool:
    """Remove a rule; False if there is none with this id."""
    query = delete_from(RuleRow).where(RuleRow.id == rule_id).returning(RuleRow.id)
    return (await session.execute(query)).one_or_none() is not None


def _read_all(version: int, documents: Sequence[str], known: Mapping[bytes, Rule]) -> Loaded:
    rules: dict[bytes, Rule] = {}
    broken: list[BrokenRule] = []
    for document in documents:
        digest = blake2b(document.encode(), digest_size=16).digest()
        read = known.get(digest) or _read(document)
        if isinstance(read, BrokenRule):
            broken.append(read)
        else:
            rules[digest] = read
    return Loaded(version, rules, tuple(broken))


def _read(document: str) -> Rule | BrokenRule:
    row = orjson.loads(document)
    rule_id: int = row["id"]
    try:
        rule = RuleIn.model_validate(row["rule"])
    except ValidationError as error:
        return BrokenRule(id=rule_id, problem=describe(error))
    return Rule(rule_id, rule.name, rule.appid, rule.priority, rule.trigger, rule.replies)


def _columns(rule: RuleIn) -> dict[str, Any]:
    return rule.model_dump(mode="json")


def _stored(rule: RuleIn, row: RuleRow) -> RuleOut:
    return RuleOut(**dict(rule), id=row.id, created_at=row.created_at, updated_at=row.updated_at)


def _out(row: RuleRow) -> RuleOut | BrokenRule:
    try:
        return RuleOut.model_validate(row, from_attributes=True)
    except ValidationError as error:
        return BrokenRule(id=row.id, problem=describe(error))

"""SQL of the rules table. The caller owns the transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

import orjson
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.engine import Rule
from app.rules.models import RuleRow
from app.rules.problems import describe
from app.rules.schemas import BrokenRule, RuleIn, RuleOut

MAX_DISABLED: Final = 1000

# One statement sees one snapshot, so that the version is the version of these rules. The rows
# come as text, so that ten thousand of them are decoded off the event loop.
_ENABLED = text("""
SELECT version, ARRAY(
    SELECT json_build_object('id', id, 'revision', revision, 'rule', json_build_object(
        'name', name, 'appid', appid, 'enabled', enabled, 'priority', priority,
        'trigger', trigger, 'conditions', conditions, 'replies', replies, 'utm', utm))::text
    FROM rules WHERE enabled ORDER BY id)
FROM rules_version
""")
_EVERYTHING = text("""
SELECT ARRAY(
    SELECT json_build_object(
        'id', id, 'revision', revision, 'created_at', created_at, 'updated_at', updated_at,
        'name', name, 'appid', appid, 'enabled', enabled, 'priority', priority,
        'trigger', trigger, 'conditions', conditions, 'replies', replies, 'utm', utm)::text
    FROM rules ORDER BY id)
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


async def load_disabled(session: AsyncSession) -> tuple[Rule, ...]:
    """Return up to 1,000 rules that are switched off, by id; broken rows are left out."""
    rows = await session.scalars(
        select(RuleRow).where(~RuleRow.enabled).order_by(RuleRow.id).limit(MAX_DISABLED)
    )
    found = (out(row) for row in rows)
    return tuple(rule_of(rule.id, rule) for rule in found if isinstance(rule, RuleOut))


async def get(session: AsyncSession, rule_id: int) -> RuleOut | BrokenRule | None:
    """Return one rule, or None if there is none with this id."""
    row = await session.get(RuleRow, rule_id)
    return None if row is None else out(row)


async def everything(session: AsyncSession) -> list[RuleOut | BrokenRule]:
    """Return every rule by id, enabled or not."""
    documents: Sequence[str] = (await session.execute(_EVERYTHING)).scalar_one()
    return await asyncio.to_thread(lambda: [_out(document) for document in documents])


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
    return [out(row) for row in await session.scalars(query)]


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
        return BrokenRule(id=rule_id, revision=row["revision"], problem=describe(error))
    return rule_of(rule_id, rule)


def _out(document: str) -> RuleOut | BrokenRule:
    row = orjson.loads(document)
    try:
        return RuleOut.model_validate(row)
    except ValidationError as error:
        return BrokenRule(id=row["id"], revision=row["revision"], problem=describe(error))


def rule_of(rule_id: int, rule: RuleIn) -> Rule:
    """Return a stored rule as the engine takes it."""
    return Rule(
        rule_id,
        rule.name,
        rule.appid,
        rule.priority,
        rule.trigger,
        rule.replies,
        rule.conditions,
        rule.utm,
    )


def out(row: RuleRow) -> RuleOut | BrokenRule:
    """Return a row as the API shows it."""
    try:
        return RuleOut.model_validate(row, from_attributes=True)
    except ValidationError as error:
        return BrokenRule(id=row.id, revision=row.revision, problem=describe(error))

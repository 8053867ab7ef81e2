"""Reads the table `rules`. The caller owns the transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy import TextClause, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.definition.schemas import BrokenRule, RuleIn, RuleOut
from app.rules.definition.validation_errors import describe
from app.rules.matching.rule_set import Rule
from app.rules.models import RuleRow
from app.wechat.outbound import STORED

CHUNK: Final = 1000
MAX_DISABLED: Final = 1000


def _select_rules(statement: str) -> TextClause:
    return text(statement.replace("THE_RULE", _RULE))


# The columns are named, so that columns that a later release adds do not matter to this one.
_RULE: Final = """json_build_object(
    'id', rules.id, 'revision', revision, 'created_at', created_at, 'updated_at', updated_at,
    'name', name, 'appid', appid, 'enabled', enabled, 'priority', priority, 'trigger', trigger,
    'conditions', conditions, 'replies', replies, 'utm', utm)::text"""

# One statement sees one snapshot, so that the version belongs to exactly these rules. Rows are
# streamed as JSON text, so that they can be decoded off the event loop.
_ENABLED = _select_rules("""
SELECT version, CASE WHEN enabled THEN THE_RULE END
FROM rules_version LEFT JOIN rules ON enabled ORDER BY rules.id
""")
_EVERYTHING = _select_rules("SELECT THE_RULE FROM rules ORDER BY id")
_CHANGED = _select_rules("""
WITH log AS (
    SELECT rules_changed.version, rule_ids FROM rules_changed JOIN rules_version
    ON rules_changed.version > :known AND rules_changed.version <= rules_version.version
), present AS (
    SELECT version, version - :known = (SELECT count(*) FROM log) AS complete FROM rules_version
), changed AS (
    SELECT DISTINCT unnest(rule_ids) AS id FROM log
)
SELECT present.version, complete, changed.id, CASE WHEN enabled THEN THE_RULE END
FROM present LEFT JOIN changed ON complete LEFT JOIN rules USING (id)
""")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Enabled rules as of one version. broken: enabled rows that are not valid rules.

    changed: the ids of all rules that have changed; None if all rules were read.
    """

    version: int
    rules: tuple[Rule, ...]
    broken: tuple[BrokenRule, ...]
    changed: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class DisabledRules:
    """Up to 1,000 rules by id. broken: rows that are not valid. more: how many were not read."""

    rules: tuple[Rule, ...]
    broken: tuple[BrokenRule, ...]
    more: int


async def load_all(session: AsyncSession) -> Loaded:
    """Read all enabled rules, ordered by id."""
    version, read = 0, _DecodedRows()
    async for rows in _in_chunks(session, _ENABLED):
        version = rows[0][0]
        await asyncio.to_thread(read.add, [document for _, document in rows if document])
    return Loaded(version, tuple(read.rules), tuple(read.broken))


async def load_changed(session: AsyncSession, known: int) -> Loaded | None:
    """Read the rules that have changed since version `known`, and the ids of those that are gone.

    None if the log of changes does not reach back to `known`, or the present version is earlier.
    """
    version, complete, changed, read = 0, False, set[int](), _DecodedRows()
    async for rows in _in_chunks(session, _CHANGED, known=known):
        version, complete = rows[0][:2]
        changed.update(rule_id for _, _, rule_id, _ in rows if rule_id is not None)
        await asyncio.to_thread(read.add, [row[3] for row in rows if row[3]])
    if not complete:
        return None
    return Loaded(version, tuple(read.rules), tuple(read.broken), frozenset(changed))


async def read_disabled(session: AsyncSession) -> DisabledRules:
    """Read rules that are switched off, for explanations."""
    rows = await session.scalars(
        select(RuleRow).where(~RuleRow.enabled).order_by(RuleRow.id).limit(MAX_DISABLED)
    )
    found = [out(row) for row in rows]
    count = await session.scalar(select(func.count()).where(~RuleRow.enabled))
    return DisabledRules(
        tuple(rule_of(rule.id, rule) for rule in found if not isinstance(rule, BrokenRule)),
        tuple(rule for rule in found if isinstance(rule, BrokenRule)),
        (count or 0) - len(found),
    )


async def get(session: AsyncSession, rule_id: int) -> RuleOut | BrokenRule | None:
    """Return the rule with this id; None if it does not exist."""
    row = await session.get(RuleRow, rule_id)
    return None if row is None else out(row)


async def document_of(session: AsyncSession, rule_id: int) -> dict[str, Any]:
    """Return a row as a rule is written, valid or not; empty if it does not exist."""
    row = await session.get(RuleRow, rule_id)
    names = RuleIn.model_fields if row is not None else ()
    return {name: getattr(row, name) for name in names}


async def read_all(session: AsyncSession) -> list[RuleOut | BrokenRule]:
    """Return all rules, enabled or not, ordered by id."""
    found: list[RuleOut | BrokenRule] = []
    async for rules in stream_all(session):
        found += rules
    return found


async def stream_all(session: AsyncSession) -> AsyncIterator[list[RuleOut | BrokenRule]]:
    """Yield all rules, enabled or not, ordered by id, up to CHUNK at a time."""
    async for rows in _in_chunks(session, _EVERYTHING):
        yield await asyncio.to_thread(_decode_all, rows)


async def read_ids(session: AsyncSession) -> Sequence[int]:
    """Return the ids of all rules, enabled or not."""
    return (await session.scalars(select(RuleRow.id))).all()


async def page(
    session: AsyncSession,
    *,
    after: int,
    limit: int,
    appid: str | None = None,
    enabled: bool | None = None,
) -> list[RuleOut | BrokenRule]:
    """Return up to `limit` rules with ids above `after`, ordered by id.

    appid: only rules for this account. enabled: only enabled rules, or only disabled ones.
    """
    query = select(RuleRow).where(RuleRow.id > after).order_by(RuleRow.id).limit(limit)
    if appid is not None:
        query = query.where(RuleRow.appid == appid)
    if enabled is not None:
        query = query.where(RuleRow.enabled == enabled)
    return [out(row) for row in await session.scalars(query)]


async def _in_chunks(
    session: AsyncSession, statement: TextClause, **bound: int
) -> AsyncIterator[Sequence[Any]]:
    result = await session.stream(statement, bound)
    async for rows in result.partitions(CHUNK):
        yield rows


class _DecodedRows:
    """The rows that have been read so far."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.broken: list[BrokenRule] = []

    def add(self, documents: Sequence[str]) -> None:
        for document in documents:
            row = _decode(document)
            if isinstance(row, BrokenRule):
                self.broken.append(row)
            else:
                self.rules.append(rule_of(row.id, row))


def _decode_all(rows: Sequence[Any]) -> list[RuleOut | BrokenRule]:
    return [_decode(document) for (document,) in rows]


def _decode(document: str) -> RuleOut | BrokenRule:
    row = orjson.loads(document)
    try:
        return RuleOut.model_validate(row, context=STORED)
    except ValidationError as error:
        return BrokenRule(id=row["id"], revision=row["revision"], problem=describe(error))


def rule_of(rule_id: int, rule: RuleIn) -> Rule:
    """Return a stored rule in the form that matching works with."""
    for model in (rule.trigger, *rule.replies):
        _share_names(model)
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


def _share_names(model: BaseModel) -> None:
    """Let models that were given the same members share one set of their names, to save memory."""
    names = _names(frozenset(model.model_fields_set))
    object.__setattr__(model, "__pydantic_fields_set__", names)


@lru_cache(maxsize=1000)
def _names(names: frozenset[str]) -> set[str]:
    return set(names)


def out(row: RuleRow) -> RuleOut | BrokenRule:
    """Return a row in the form in which the API returns it."""
    try:
        return RuleOut.model_validate(row, from_attributes=True, context=STORED)
    except ValidationError as error:
        return BrokenRule(id=row.id, revision=row.revision, problem=describe(error))

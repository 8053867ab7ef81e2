"""Compares the rules of a document with the stored ones, and makes the changes between them.

The caller owns the transaction.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules import store
from app.rules.background import release_in_slices
from app.rules.definition.fields import Strict
from app.rules.definition.schemas import BrokenRule, RuleId, RuleIn, RuleOut
from app.rules.definition.validation_errors import InvalidRequest, Problem, problems_in
from app.rules.editing import bulk_edit, edit
from app.rules.editing.check_sendable import require_sendable
from app.settings import Settings

MAX_RULES: Final = 200_000

MAX_ID: Final = 2**53
"""Exact in every client of the API, and far below the greatest id, so that ids do not run out."""


class ImportedRule(RuleIn):
    """A rule of a document.

    id: the stored rule that it replaces; left out, it replaces the one with its name and appid.
    """

    id: Annotated[RuleId, Field(le=MAX_ID)] | None = None


class Imported(Strict):
    """A document with the whole set of rules."""

    rules: Annotated[tuple[ImportedRule, ...], Field(max_length=MAX_RULES)]


class FieldChange(BaseModel):
    """The value of one member of a rule, before and after the import."""

    before: Any
    after: Any


class RuleDiff(BaseModel):
    """A rule that is added, changed or removed. fields: the changed members, by name."""

    model_config = ConfigDict(frozen=True)

    id: int | None
    name: str
    appid: str | None
    fields: dict[str, FieldChange] = {}


class Diff(BaseModel):
    """What an import changes. version: of the rules that the document was compared with."""

    dry_run: bool
    version: int
    added: list[RuleDiff]
    changed: list[RuleDiff]
    removed: list[RuleDiff]
    unchanged: int


_SET: Final = TypeAdapter(Imported)
_Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that an import makes.

    added: rules, each with its id if the document gives one. changed: stored rules, each with the
    rule that replaces it. removed: stored rules. unchanged: the number of stored rules that stay as
    they are. conflicts: in add-only mode, the stored rules that differ from an imported rule of
    the same id or name, each with the imported rule, which is skipped.
    """

    added: list[tuple[int | None, RuleIn]]
    changed: list[tuple[RuleOut | BrokenRule, RuleIn]]
    removed: list[RuleOut | BrokenRule]
    unchanged: int
    conflicts: list[tuple[RuleOut | BrokenRule, RuleIn]] = field(default_factory=list)


async def read_rules(document: object, settings: Settings) -> list[ImportedRule]:
    """Return the rules of a document after all checks. Raises InvalidRequest.

    The document is emptied, so that its memory is released while the rules are used.
    """
    rules = await asyncio.to_thread(_validated, document)
    await require_sendable(rules, settings, "body", "rules")
    return rules


async def plan_import(
    session: AsyncSession, rules: Sequence[ImportedRule], *, add_only: bool = False
) -> Plan:
    """Compare rules with the stored ones; see `plan_changes`. Raises InvalidRequest."""
    stored = await store.read_all(session)
    planned = await asyncio.to_thread(plan_changes, stored, rules, add_only=add_only)
    await asyncio.to_thread(release_in_slices, stored)
    return planned


def plan_changes(
    stored: Sequence[RuleOut | BrokenRule],
    rules: Sequence[ImportedRule],
    *,
    add_only: bool = False,
) -> Plan:
    """Return the changes that turn `stored` into `rules`. Raises InvalidRequest for duplicates.

    An imported rule replaces the stored rule with its id, or else the one with its name and
    account. add_only: stored rules are neither changed nor removed.
    """
    by_id: Mapping[int, RuleOut | BrokenRule] = {rule.id: rule for rule in stored}
    # Not by name if the document names the stored rule by its id.
    given_ids = {rule.id for rule in rules}
    by_name: dict[_Key, RuleOut] = {}
    for row in stored:
        if isinstance(row, RuleOut) and row.id not in given_ids:
            by_name.setdefault((row.name, row.appid), row)
    _refuse_duplicates(rules, by_id)
    added: list[tuple[int | None, RuleIn]] = []
    changed: list[tuple[RuleOut | BrokenRule, RuleIn]] = []
    kept: set[int] = set()
    for rule in rules:
        before = by_id.get(rule.id or 0) or by_name.get((rule.name, rule.appid))
        if before is None:
            added.append((rule.id, rule))
            continue
        kept.add(before.id)
        if isinstance(before, BrokenRule) or edit.columns(before) != edit.columns(rule):
            changed.append((before, rule))
    if add_only:
        return Plan(added, [], [], len(kept), changed)
    removed = [row for row in stored if row.id not in kept]
    return Plan(added, changed, removed, len(kept) - len(changed))


async def apply(session: AsyncSession, plan: Plan, operator: str) -> None:
    """Make the changes of a plan, each with a new revision."""
    await bulk_edit.delete_all(session, [rule.id for rule in plan.removed], operator)
    changed = [(before.id, after) for before, after in plan.changed]
    await bulk_edit.replace_all(session, changed, operator)
    await bulk_edit.insert_all(session, plan.added, operator)


def diff(plan: Plan, version: int, *, dry_run: bool) -> Diff:
    """Return a plan in the form in which operators read it."""
    return Diff(
        dry_run=dry_run,
        version=version,
        added=[_added(rule_id, rule) for rule_id, rule in plan.added],
        changed=[_changed(before, after) for before, after in plan.changed],
        removed=[_removed(rule) for rule in plan.removed],
        unchanged=plan.unchanged,
    )


def skipped(plan: Plan) -> Iterator[str]:
    """Yield one line for each imported rule that add-only mode skips because of a conflict."""
    for before, rule in plan.conflicts:
        fields = ", ".join(_changed(before, rule).fields)
        yield f"{rule.name}: a rule with this name exists already and differs in {fields}"


def diff_as_json(plan: Plan, version: int, *, dry_run: bool) -> bytes:
    """Return the `diff` as JSON."""
    # Rule by rule: there may be two hundred thousand of them, and a model of all would be large.
    return orjson.dumps(
        {
            "dry_run": dry_run,
            "version": version,
            "added": [_fragment(_added(*each)) for each in plan.added],
            "changed": [_fragment(_changed(*each)) for each in plan.changed],
            "removed": [_fragment(_removed(each)) for each in plan.removed],
            "unchanged": plan.unchanged,
        }
    )


def release(plan: Plan, rules: list[ImportedRule]) -> None:
    """Empty a plan and the rules that it was made of, so that their memory is released."""
    for part in (plan.added, plan.changed, plan.removed, plan.conflicts, rules):
        release_in_slices(part)


def _fragment(diff: RuleDiff) -> orjson.Fragment:
    return orjson.Fragment(diff.model_dump_json())


def _validated(document: object) -> list[ImportedRule]:
    try:
        rules = list(_SET.validate_python(document).rules)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidRequest(problems_in(found, "body")) from None
    if isinstance(document, dict):
        release_in_slices(document["rules"])
    return rules


def _refuse_duplicates(
    rules: Sequence[ImportedRule], by_id: Mapping[int, RuleOut | BrokenRule]
) -> None:
    problems = list(_duplicates(rules, by_id))
    if problems:
        raise InvalidRequest(problems)


def _duplicates(
    rules: Sequence[ImportedRule], by_id: Mapping[int, RuleOut | BrokenRule]
) -> Iterator[Problem]:
    ids: dict[int, int] = {}
    names: dict[_Key, int] = {}
    for number, rule in enumerate(rules):
        if rule.id is not None:
            first = ids.setdefault(rule.id, number)
            if first != number:
                yield _duplicate(number, "id", f"is also the id of rules.{first}: remove one")
        if rule.id is None or rule.id not in by_id:
            first = names.setdefault((rule.name, rule.appid), number)
            if first != number:
                yield _duplicate(
                    number,
                    "name",
                    f"is also the name of rules.{first} for the same account: rename one, or give "
                    "both their ids",
                )


def _duplicate(number: int, member: str, msg: str) -> Problem:
    return Problem(loc=["body", "rules", number, member], msg=msg, type="duplicate")


def _added(rule_id: int | None, rule: RuleIn) -> RuleDiff:
    return RuleDiff(id=rule_id, name=rule.name, appid=rule.appid)


def _changed(before: RuleOut | BrokenRule, after: RuleIn) -> RuleDiff:
    new = edit.columns(after)
    old: Mapping[str, Any] = {} if isinstance(before, BrokenRule) else edit.columns(before)
    return RuleDiff(
        id=before.id,
        name=after.name,
        appid=after.appid,
        fields={
            name: FieldChange(before=old.get(name), after=value)
            for name, value in new.items()
            if isinstance(before, BrokenRule) or old[name] != value
        },
    )


def _removed(rule: RuleOut | BrokenRule) -> RuleDiff:
    if isinstance(rule, BrokenRule):
        return RuleDiff(id=rule.id, name="", appid=None)
    return RuleDiff(id=rule.id, name=rule.name, appid=rule.appid)

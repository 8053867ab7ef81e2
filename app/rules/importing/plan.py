"""Compares the rules of a document with the stored ones, and makes the changes between them.

The caller owns the transaction. Rules stay on disk while it goes on, so that the largest document
and the largest stored set take little memory.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api_model import ApiModel
from app.rules import store
from app.rules.definition.schemas import BrokenRule, RuleOut
from app.rules.definition.validation_errors import MAX_PROBLEMS, InvalidRequest, Problem
from app.rules.editing import bulk_edit, edit
from app.rules.editing.bulk_edit import BulkRow
from app.rules.editing.room import NOTHING, Weight, weight_of
from app.rules.importing.imported_rules import ImportedRules
from app.rules.importing.models import ImportStep
from app.rules.importing.progress import Progress
from app.rules.importing.scratch import Scratch

_PIECE_BYTES = 64 * 1024


class FieldChange(ApiModel):
    """The value of one member of a rule, before and after the import."""

    before: Any
    """The value before."""
    after: Any
    """The value after."""


class RuleDiff(ApiModel):
    """A rule that is added, changed or removed."""

    model_config = ConfigDict(frozen=True)

    id: int | None
    """The id of the rule; null for one that is added without an id."""
    name: str
    """Its name."""
    appid: str | None
    """Its account; null for every account."""
    fields: dict[str, FieldChange] = Field(default={})
    """The changed members, by name."""


class Diff(ApiModel):
    """What an import changes."""

    dry_run: bool
    """Whether nothing was changed."""
    version: int
    """The version of the rules that the document was compared with."""
    added: list[RuleDiff]
    """Rules that only the document has."""
    changed: list[RuleDiff]
    """Rules that differ."""
    removed: list[RuleDiff]
    """Rules that the document does not have."""
    unchanged: int
    """How many rules stay as they are."""


_Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that an import makes.

    added: numbers of imported rules. changed: stored rules that are replaced: the number of the
    imported rule, the id, and the number of the RuleDiff in `diffs`, by rising number of the rule.
    removed: stored rules, by id and number of the RuleDiff. unchanged: the number of stored rules
    that stay as they are. conflicts: like changed; in add-only mode, the stored rules that differ
    from an imported rule of the same id or name, which is skipped. diffs: as JSON.
    """

    rules: ImportedRules
    diffs: Scratch
    added: list[int] = field(default_factory=list)
    changed: list[tuple[int, int, int]] = field(default_factory=list)
    removed: list[tuple[int, int]] = field(default_factory=list)
    unchanged: int = 0
    conflicts: list[tuple[int, int, int]] = field(default_factory=list)

    def close(self) -> None:
        """Forget the plan and the rules that it was made of."""
        self.diffs.close()
        self.rules.close()


async def plan_import(
    session: AsyncSession, rules: ImportedRules, progress: Progress, *, add_only: bool = False
) -> Plan:
    """Return the changes that turn the stored rules into `rules`.

    An imported rule replaces the stored rule with its id, or else the one with its name and
    account. add_only: stored rules are neither changed nor removed. Raises InvalidRequest for
    duplicates.
    """
    stored_ids = frozenset(await store.read_ids(session))
    progress.begin(ImportStep.COMPARING, len(stored_ids))
    comparison = await asyncio.to_thread(_Comparison, rules, stored_ids)
    async for rows in store.stream_all(session):
        await asyncio.to_thread(comparison.add, rows)
        progress.add(len(rows))
    return comparison.plan(add_only=add_only)


class _Comparison:
    """Compares stored rules, which come in order of their ids, with imported ones."""

    def __init__(self, rules: ImportedRules, stored_ids: frozenset[int]) -> None:
        _refuse_duplicates(rules, stored_ids)
        self._rules = rules
        self._diffs = Scratch(rules.folder)
        self._kept = bytearray(len(rules))
        self._stored = 0
        self._changed: list[tuple[int, int, int]] = []
        self._removed: list[tuple[int, int]] = []
        # Not by name if the document names the stored rule by its id.
        self._by_id: dict[int, int] = {}
        self._by_name: dict[_Key, int] = {}
        for number, head in enumerate(rules.heads):
            if head.id is not None and head.id in stored_ids:
                self._by_id[head.id] = number
            else:
                self._by_name[head.name, head.appid] = number

    def add(self, rows: Sequence[RuleOut | BrokenRule]) -> None:
        """Compare the next stored rules."""
        for row in rows:
            self._stored += 1
            number = self._number_of(row)
            if number is None:
                self._removed.append((row.id, self._diffs.add(_removed(row))))
                continue
            self._kept[number] = True
            after = self._rules.columns(number)
            if isinstance(row, BrokenRule) or edit.columns(row) != after:
                self._changed.append((number, row.id, self._diffs.add(_changed(row, after))))

    def plan(self, *, add_only: bool) -> Plan:
        """Return the changes, once all stored rules are compared."""
        added = [number for number, kept in enumerate(self._kept) if not kept]
        kept = len(self._kept) - len(added)
        self._changed.sort()
        if add_only:
            return Plan(self._rules, self._diffs, added, [], [], kept, self._changed)
        unchanged = kept - len(self._changed)
        return Plan(self._rules, self._diffs, added, self._changed, self._removed, unchanged)

    def _number_of(self, row: RuleOut | BrokenRule) -> int | None:
        number = self._by_id.get(row.id)
        if number is not None or isinstance(row, BrokenRule):
            return number
        # Each only once: of stored rules with one name, the first is the one that is replaced.
        return self._by_name.pop((row.name, row.appid), None)


def added_weight(plan: Plan) -> Weight:
    """Return what the added rules take."""
    weight = NOTHING
    for number in plan.added:
        weight = weight.plus(weight_of(plan.rules.columns(number)))
    return weight


async def apply(session: AsyncSession, plan: Plan, operator: str, progress: Progress) -> None:
    """Make the changes of a plan, each with a new revision."""
    rules = plan.rules
    progress.begin(ImportStep.WRITING, len(plan.removed) + len(plan.changed) + len(plan.added))
    await bulk_edit.delete_all(session, [rule_id for rule_id, _ in plan.removed], operator)
    progress.add(len(plan.removed))
    changed = (BulkRow(rule_id, rules.encoded(number)) for number, rule_id, _ in plan.changed)
    await bulk_edit.replace_all(session, changed, operator, progress.add)
    ids = (rules.heads[number].id or 0 for number in plan.added)
    await edit.keep_ids_rising(session, max(ids, default=0))
    added = (BulkRow(rules.heads[number].id, rules.encoded(number)) for number in plan.added)
    await bulk_edit.insert_all(session, added, operator, progress.add)


def diff(plan: Plan, version: int, *, dry_run: bool) -> Diff:
    """Return a plan in the form in which operators read it."""
    return Diff.model_validate_json(b"".join(diff_as_json(plan, version, dry_run=dry_run)))


def skipped(plan: Plan) -> Iterator[str]:
    """Yield one line for each imported rule that add-only mode skips because of a conflict."""
    for number, _, at in plan.conflicts:
        fields = ", ".join(RuleDiff.model_validate_json(plan.diffs[at]).fields)
        name = plan.rules.heads[number].name
        yield f"{name}: a rule with this name exists already and differs in {fields}"


def diff_as_json(plan: Plan, version: int, *, dry_run: bool) -> Iterator[bytes]:
    """Yield the `diff` as JSON, in pieces."""
    piece = bytearray(b'{"dry_run":%b,"version":%d' % (b"true" if dry_run else b"false", version))
    parts: tuple[tuple[bytes, Iterator[bytes]], ...] = (
        (b"added", (_added(plan.rules, number) for number in plan.added)),
        (b"changed", (plan.diffs[at] for _, _, at in plan.changed)),
        (b"removed", (plan.diffs[at] for _, at in plan.removed)),
    )
    for name, diffs in parts:
        piece += b',"%b":[' % name
        for count, each in enumerate(diffs):
            piece += b"," * bool(count) + each
            if len(piece) > _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        piece += b"]"
    yield bytes(piece) + b',"unchanged":%d}' % plan.unchanged


def _refuse_duplicates(rules: ImportedRules, stored_ids: frozenset[int]) -> None:
    problems: list[Problem] = []
    for problem in _duplicates(rules, stored_ids):
        problems.append(problem)
        if len(problems) == MAX_PROBLEMS:
            break
    if problems:
        raise InvalidRequest(problems)


def _duplicates(rules: ImportedRules, stored_ids: frozenset[int]) -> Iterator[Problem]:
    ids: dict[int, int] = {}
    names: dict[_Key, int] = {}
    for number, rule in enumerate(rules.heads):
        if rule.id is not None:
            first = ids.setdefault(rule.id, number)
            if first != number:
                yield _duplicate(number, "id", f"is also the id of rules.{first}: remove one")
        if rule.id is None or rule.id not in stored_ids:
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


def _added(rules: ImportedRules, number: int) -> bytes:
    return RuleDiff(**rules.heads[number]._asdict()).model_dump_json().encode()


def _changed(before: RuleOut | BrokenRule, after: Mapping[str, Any]) -> bytes:
    old: Mapping[str, Any] = {} if isinstance(before, BrokenRule) else edit.columns(before)
    diff = RuleDiff(
        id=before.id,
        name=after["name"],
        appid=after["appid"],
        fields={
            name: FieldChange(before=old.get(name), after=value)
            for name, value in after.items()
            if isinstance(before, BrokenRule) or old[name] != value
        },
    )
    return diff.model_dump_json().encode()


def _removed(rule: RuleOut | BrokenRule) -> bytes:
    if isinstance(rule, BrokenRule):
        return RuleDiff(id=rule.id, name="", appid=None).model_dump_json().encode()
    return RuleDiff(id=rule.id, name=rule.name, appid=rule.appid).model_dump_json().encode()
